/** The people of the demonstration. What they may enter follows from their claims, by the policies of passerelle.yaml. */
import type { OpenidAccount } from './openid-provider.ts'

export interface DemoAccount extends OpenidAccount {
  /** For the terminal: who this is, and what follows. */
  readonly summary: string
}

export const accounts: readonly DemoAccount[] = [
  {
    name: 'alice',
    password: 'saule',
    summary: 'researcher in biology: journal and intranet',
    claims: person('Alice', 'Martin', 'alice.martin@deux-rives.example', ['researcher'], ['biology', 'ecology']),
  },
  {
    name: 'bruno',
    password: 'craie',
    summary: 'teacher: courses and intranet',
    claims: person('Bruno', 'Lefèvre', 'bruno.lefevre@deux-rives.example', ['teacher'], ['geography']),
  },
  {
    name: 'chloe',
    password: 'galet',
    summary: 'guest: intranet only',
    claims: person('Chloé', 'Dubois', 'chloe.dubois@deux-rives.example', ['guest'], []),
  },
]

function person(
  givenName: string,
  familyName: string,
  email: string,
  affiliation: readonly string[],
  department: readonly string[],
): OpenidAccount['claims'] {
  return {
    name: `${givenName} ${familyName}`,
    given_name: givenName,
    family_name: familyName,
    email,
    email_verified: true,
    affiliation,
    department,
  }
}
