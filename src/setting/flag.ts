/** Yes or no. In YAML 1.2 `yes` is a text, so both spellings are read here. */
import { z } from 'zod'

const expected = 'must be yes or no (or true, false)'

export const flag = z
  .literal([true, false, 'yes', 'no', 'true', 'false'], { error: expected })
  .transform(value => value === true || value === 'yes' || value === 'true')
  .meta({ title: 'yes or no' })
