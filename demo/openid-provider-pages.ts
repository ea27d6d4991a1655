/** The pages of the stand-in provider: plain forms, which a person and a test fill in alike. */

/** What the form calls its first field and its button. */
export interface SignInWords {
  readonly name: string
  readonly button: string
}

const usualWords: SignInWords = { name: 'Nom d’utilisateur', button: 'Se connecter' }

export function signInPage(options: {
  readonly action: string
  readonly again: boolean
  readonly words?: SignInWords
}): string {
  const words = options.words ?? usualWords
  const complaint = options.again ? '<p role="alert">Nom ou mot de passe inconnu. / Unknown name or password.</p>' : ''
  return page(
    'Connexion',
    `${complaint}
    <form method="post" action="${escaped(options.action)}">
      <p><label>${words.name}<br><input name="name" autocomplete="username" autofocus required></label></p>
      <p><label>Mot de passe<br><input name="password" type="password" autocomplete="current-password" required></label></p>
      <p><button>${words.button}</button></p>
    </form>`,
  )
}

/**
 * @param form made by oidc-provider, without a button
 * @param auto the page sends it by itself
 */
export function signOutPage(form: string, auto: boolean): string {
  const button = '<button name="logout" value="yes" autofocus>Oui, me déconnecter</button>'
  return page(
    'Déconnexion',
    `<p>Se déconnecter aussi du service d’authentification ?</p>
    ${form.replace('</form>', `${button}</form>`)}
    ${auto ? '<script>document.querySelector("button").click()</script>' : ''}`,
  )
}

export function signedOutPage(): string {
  return page('Déconnexion', '<p>Vous êtes déconnecté du service d’authentification.</p>')
}

export function errorPage(error: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(error).map(
    ([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(String(value))}</dd>`,
  )
  return page('Erreur', `<dl>${lines.join('')}</dl>`)
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="fr">
  <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
  <style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:4rem auto;padding:0 1rem}input{font:inherit;width:100%}button{font:inherit}</style></head>
  <body><main><h1>${title}</h1>
    ${body}
  </main></body>
</html>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
