// The chat window. Who speaks is decided by the server, from the identity that came with the handshake.
const state = document.getElementById('state')
const lines = document.getElementById('lines')
const form = document.getElementById('say')
const button = form.querySelector('button')
const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/chat`)

socket.onopen = () => {
  state.textContent = 'La discussion est ouverte. · The chat is open.'
  button.disabled = false
}
socket.onmessage = event => {
  const { who, text } = JSON.parse(event.data)
  const line = document.createElement('li')
  if (who === '') line.className = 'event'
  line.textContent = who === '' ? text : `${who} : ${text}`
  lines.append(line)
}
socket.onclose = event => {
  state.textContent = `La discussion est fermée (${event.code}). · The chat is closed.`
  state.className = 'closed'
  button.disabled = true
}
form.onsubmit = event => {
  event.preventDefault()
  const text = form.elements.text.value
  if (text !== '' && socket.readyState === WebSocket.OPEN) socket.send(text)
  form.elements.text.value = ''
}
