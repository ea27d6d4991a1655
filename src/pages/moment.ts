/** Dates, hours and waits in words. The zone is the process's own (TZ) and is always named: a reader may be elsewhere. */
import type { Language } from '../model/text.ts'
import { type Html, html } from './escape.ts'

const formats = {
  fr: new Intl.DateTimeFormat('fr', { dateStyle: 'long' }),
  en: new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' }),
} as const satisfies Record<Language, Intl.DateTimeFormat>

const hours = new Intl.DateTimeFormat('en-GB', { hour: 'numeric', minute: '2-digit', timeZoneName: 'shortOffset' })

/** `20 novembre 2026 à 9 h 12 (UTC+1)`, `20 November 2026, 9:12 (UTC+1)` */
export function moment(language: Language, at: Date): Html {
  const day = formats[language].format(at).replaceAll(' ', '\u00a0')
  const { hour, zone } = hourOf(language, at)
  return language === 'fr' ? html`${day} à ${hour} (${zone})` : html`${day}, ${hour} (${zone})`
}

/** How long a wait of some seconds is, and, where it is longer than two minutes, until which hour. */
export interface Wait {
  /** `5 secondes`, `15 minutes` */
  readonly length: Html
  /** `9 h 27`; null where the wait is so short that an hour would say less. */
  readonly until: Html | null
}

export function wait(language: Language, at: Date, seconds: number): Wait {
  if (seconds < 120) return { length: counted(seconds, language === 'fr' ? 'seconde' : 'second'), until: null }
  const until = html`${hourOf(language, new Date(at.getTime() + seconds * 1000)).hour}`
  return { length: counted(Math.ceil(seconds / 60), 'minute'), until }
}

/** How long ago that was, rounded up: `25 minutes`, `3 heures`. */
export function elapsed(language: Language, since: Date, now: Date): Html {
  const minutes = Math.max(1, Math.ceil((now.getTime() - since.getTime()) / 60_000))
  if (minutes < 120) return counted(minutes, 'minute')
  const hours = Math.ceil(minutes / 60)
  if (hours < 48) return counted(hours, language === 'fr' ? 'heure' : 'hour')
  return counted(Math.ceil(hours / 24), language === 'fr' ? 'jour' : 'day')
}

function counted(count: number, unit: string): Html {
  return html`${count}&nbsp;${unit}${count > 1 ? 's' : null}`
}

function hourOf(language: Language, at: Date): { readonly hour: string; readonly zone: string } {
  const parts = new Map(hours.formatToParts(at).map(part => [part.type, part.value]))
  const hour = String(Number(parts.get('hour')))
  const minute = parts.get('minute') ?? ''
  return {
    hour: language === 'fr' ? `${hour}\u00a0h\u00a0${minute}` : `${hour}:${minute}`,
    zone: (parts.get('timeZoneName') ?? 'UTC').replace('GMT', 'UTC').replace(/\+0$/, ''),
  }
}
