/** Whose host is whose: the portal's, each resource's, and the sockets that we listen on (SESSIONS A5, A6, A9, B 19). */
import { isOwnListener, isRefusedNetwork } from '../outbound/refused.ts'
import { isLoopback } from '../setting/network.ts'
import type { KeyPath, Tell } from './problem.ts'
import type { Part, ResourceSettings, Settings } from './schema.ts'

type Written = Part<Settings>
type Resource = Part<ResourceSettings>

export function checkHosts(settings: Written, tell: Tell): void {
  const sites = (settings.resources ?? []).flatMap((resource, index) =>
    resource?.at === undefined ? [] : [{ resource, index, at: resource.at }],
  )
  checkPortal(settings, sites, tell)
  for (const sharing of Map.groupBy(sites, site => site.at.hostname).values()) checkSharedHost(sharing, tell)
  checkPlainHttp(settings, tell)
  checkListeners(settings, tell)
  checkOrigins(settings, tell)
}

interface Site {
  readonly resource: Resource
  readonly index: number
  readonly at: URL
}

const atOf = (site: Site): KeyPath => ['resources', site.index, 'at']

function checkPortal({ portal }: Written, sites: readonly Site[], tell: Tell): void {
  for (const site of sites) {
    if (site.at.hostname === portal?.hostname)
      tell.problem(atOf(site), `has the host of the portal (${tell.place(['portal'])}), which is the gateway's alone`)
  }
}

function checkSharedHost([first, ...others]: readonly Site[], tell: Tell): void {
  if (first === undefined) return
  const seen = new Map([[first.at.pathname, first]])
  let warned = false
  for (const site of others) {
    const earlier = seen.get(site.at.pathname)
    seen.set(site.at.pathname, site)
    if (site.at.origin !== first.at.origin) {
      const other = `resources[${first.index}] (${tell.place(atOf(first))})`
      tell.problem(atOf(site), `has the host of ${other} with another port or scheme; cookies do not tell ports apart`)
    } else if (earlier !== undefined) {
      tell.problem(atOf(site), `is the address of resources[${earlier.index}] already (${tell.place(atOf(earlier))})`)
    } else if (!warned && samePolicies(first.resource, site.resource) === false) {
      warned = true
      tell.warning(
        atOf(site),
        `shares its host with resources[${first.index}] (${tell.place(atOf(first))}) under another policy; to a browser they are one site, so a script of one can use the other with its visitor's identity. Give each a host of its own if that matters`,
      )
    }
  }
}

/** Who may come in: by the policy, by those of paths, and by whose people are admitted at all. */
function samePolicies(a: Resource, b: Resource): boolean {
  const admits = ({ policy, paths, idps }: Resource) => JSON.stringify([policy, paths, idps?.toSorted() ?? null])
  return admits(a) === admits(b)
}

function checkPlainHttp(settings: Written, tell: Tell): void {
  const warn = (path: KeyPath, url: URL | undefined) => {
    if (url?.protocol === 'http:')
      tell.warning(path, `is plain http (${url.host}): for this machine only, never for people`)
  }
  warn(['portal'], settings.portal)
  for (const [index, resource] of (settings.resources ?? []).entries()) warn(['resources', index, 'at'], resource?.at)
  for (const [index, idp] of (settings.idps ?? []).entries()) {
    if (idp === undefined) continue
    if ('cas' in idp) warn(['idps', index, 'cas', 'server'], idp.cas?.server)
    if ('oidc' in idp) warn(['idps', index, 'oidc', 'issuer'], URL.parse(idp.oidc?.issuer ?? '') ?? undefined)
  }
}

function checkListeners({ listen, operations }: Written, tell: Tell): void {
  const ours = listen?.address
  const machines = operations?.address
  if (ours?.host !== undefined && !isLoopback(ours.host) && listen?.tls === null && listen.trustedProxies?.length === 0)
    tell.warning(
      ['listen', 'trustedProxies'],
      'is empty, while the gateway listens beyond this machine without TLS: behind a load balancer, all readers share its address',
    )
  for (const [index, network] of (listen?.trustedProxies ?? []).entries()) {
    if (network?.endsWith('/0') === true)
      tell.warning(['listen', 'trustedProxies', index], `${network} is everybody: anyone can then claim any address`)
  }
  if (machines?.host === undefined || machines.port === undefined) return
  if (!isLoopback(machines.host))
    tell.warning(
      ['operations', 'address'],
      operations?.secret == null
        ? 'is reachable beyond this machine: keep it away from readers by a network rule'
        : 'is reachable beyond this machine, and operations.secret travels to it in clear: keep it in a network of its own',
    )
  if (
    machines.port !== 0 &&
    machines.port === ours?.port &&
    (machines.host === ours.host || isAny(ours) || isAny(machines))
  )
    tell.problem(['operations', 'address'], `is the address of listen (${tell.place(['listen', 'address'])}) already`)
}

const isAny = (address: { readonly host?: string | undefined }) => address.host === '0.0.0.0' || address.host === '::'

/** Known by their number alone; a name is looked at when it is connected to. */
function checkOrigins({ resources, listen, operations }: Written, tell: Tell): void {
  const listeners = [listen?.address, operations?.address].flatMap(address =>
    address?.host === undefined || address.port === undefined ? [] : [{ host: address.host, port: address.port }],
  )
  for (const [index, resource] of (resources ?? []).entries()) {
    const url = resource?.origin
    if (url === undefined) continue
    const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname.replace(/^\[(.*)\]$/, '$1')
    if (!/^[\d.]+$|:/.test(host)) continue
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    const path = ['resources', index, 'origin']
    if (isRefusedNetwork(host))
      tell.problem(
        path,
        `is in a network that the gateway never connects to (link-local, metadata services, multicast)`,
      )
    else if (isOwnListener(host, port, listeners)) tell.problem(path, 'leads back to the gateway itself')
  }
}
