/** For providers of other protocols: no access codes at all. */
import type { CodeNeeds } from '../../src/idp/code/provider.ts'

export const noCodes: CodeNeeds['codes'] = {
  read: async () => ({ codes: [], faults: [], named: null }),
  countUse: async () => false,
  failures: { wait: async () => 0, count: async () => 0, forgive: async () => {} },
}
