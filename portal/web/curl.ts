import type { SiteDetails } from "../status/overview.ts"

/**
 * A shell's command that requests what Prometheus requests, with the secret from its file; to be run at the portal. Undefined where not
 * even the URL is known, while sites.yaml has faults.
 */
export function curlCommand({ status, match, credentials, tls, proxyUrl }: SiteDetails): string | undefined {
  if (!/^https?:\/\//.test(status.url) || !URL.canParse(status.url)) return undefined
  const { protocol, host, hostname, port, pathname } = new URL(`${status.url}/federate`)
  const secret = secretOf(credentials)
  // curl has no option for the name in the certificate alone
  const renamed = protocol === "https:" && tls.serverName !== undefined && tls.serverName !== hostname
  const server = renamed ? `${tls.serverName}:${port || "443"}` : host
  const parts = [
    `curl -sS -i --max-time ${status.timeoutSeconds}`,
    ...authorization(credentials, secret),
    ...(tls.caFile === undefined ? [] : [`--cacert ${quote(tls.caFile)}`]),
    ...(tls.certFile === undefined ? [] : [`--cert ${quote(tls.certFile)}`]),
    ...(tls.keyFile === undefined ? [] : [`--key ${quote(tls.keyFile)}`]),
    ...(proxyUrl === undefined ? [] : [`--proxy ${quote(proxyUrl)}`]),
    ...(renamed
      ? [`--connect-to ${quote(`${server}:${hostname}:${port || "443"}`)}`, `-H ${quote(`Host: ${host}`)}`]
      : []),
    `-G ${quote(`${protocol}//${server}${pathname}`)}`,
    ...match.map((selector) => `--data-urlencode ${quote(`match[]=${selector}`)}`),
  ]
  return `${parts.join(" \\\n  ")} | head -n 40`
}

function secretOf({ file, audience }: SiteDetails["credentials"]): string {
  if (audience !== undefined) return `$(fedstack token issue ${quote(audience)})`
  return file === undefined ? "$SECRET" : `$(cat ${quote(file)})`
}

function authorization({ method, user, scheme }: SiteDetails["credentials"], secret: string): readonly string[] {
  if (method === "none") return []
  if (method === "basic") return [`-u "${inDouble(user ?? "")}:${secret}"`]
  // the file has the client's secret, which is not for the site
  const token = method === "oauth2" ? "$TOKEN" : secret
  return [`-H "Authorization: ${inDouble(scheme ?? "Bearer")} ${token}"`]
}

/** As one word of a POSIX shell. */
export const quote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

const inDouble = (text: string): string => text.replace(/["$`\\]/g, String.raw`\$&`)
