import { readText } from "#core/files/read-text.ts"
import { verifiesCertificate } from "./client-certificate.ts"
import { readWebConfig } from "./config.ts"

/** Why a server with this web configuration verifies no client certificates, in half a sentence; undefined where it does. */
export async function whyNoCertificates(webConfigFile: string | undefined): Promise<string | undefined> {
  const needed = "client_auth_type VerifyClientCertIfGiven or RequireAndVerifyClientCert"
  if (webConfigFile === undefined) return `need TLS: give --web.config.file a file with ${needed}`
  const { tls } = await readWebConfig(webConfigFile, readText)
  const verified = tls !== undefined && verifiesCertificate(tls.clients.auth)
  return verified ? undefined : `are not verified by ${webConfigFile}: it needs ${needed}`
}
