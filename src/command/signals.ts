/**
 * What an operator asks of the process by signals, heard from its first moment on: unheard, each of them ends it at once, and a
 * supervisor that reloads or stops what it has only just started would see a crash.
 */

export interface Orders {
  /** Stops; a second time: in a hurry. */
  readonly stop: () => void
  readonly reload: () => void
}

export interface Signals {
  /** What is not open yet need not be opened. */
  readonly stopAsked: () => boolean
  /** From now on; what was asked before is carried out now, once, and nothing is read anew by what shall stop. */
  readonly obey: (orders: Orders) => void
}

/** @param terminal one that is closed means: stop. An operator without one means: read the configuration anew */
export function hearSignals(terminal: boolean): Signals {
  const asked = { stop: false, reload: false }
  let orders: Orders = {
    stop: () => {
      asked.stop = true
    },
    reload: () => {
      asked.reload = true
    },
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => orders.stop())
  process.on('SIGHUP', () => (terminal ? orders.stop() : orders.reload()))

  return {
    stopAsked: () => asked.stop,
    obey(given) {
      orders = given
      if (asked.stop) given.stop()
      else if (asked.reload) given.reload()
    },
  }
}
