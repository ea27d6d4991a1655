/**
 * A service worker of a site would see every address of its host, tickets included, and could post them out (carried out:
 * SESSIONS A1). So we answer its registration ourselves, with a worker that only removes itself, and with it any that was
 * installed before the gateway came. `serviceWorkers: allow` gives that up for one site.
 */
import type { Passage } from '../model/passage.ts'

export function isServiceWorker(passage: Passage): boolean {
  return passage.header('service-worker') !== undefined
}

export const unregisteringWorker = `self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', event => event.waitUntil(self.registration.unregister()))
`
