// The notice board of the home page: shows what the server pins on it, as it comes.
const notice = document.getElementById('notice')
const board = new EventSource('/notices')
board.onmessage = event => {
  notice.textContent = event.data
}
board.onerror = () => {
  notice.textContent = 'Le tableau ne répond plus. · The board does not answer any more.'
}
