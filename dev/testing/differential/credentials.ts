import { generateKeyPairSync } from "node:crypto"
import type { TestContext } from "node:test"
import { SignJWT } from "jose"
import { startProxyProcess } from "../../fuzz/proxy-process.ts"
import { makeAuthority } from "../certificates.ts"
import { temporaryFolder } from "../folder.ts"
import { connectTo, type SendRequest } from "../send-request.ts"

/** What a client may read, and the wider selectors that its issuer could grant, where it has one. */
export interface Wanted {
  readonly match: readonly string[]
  readonly ceiling: readonly string[]
  readonly enforce: boolean
  /** Of its entry, and of its tokens where an issuer makes them. */
  readonly own?: { readonly entry: object; readonly claims: object }
}

/** What is started, and its file besides the clients. */
export interface Served {
  readonly command: string
  /** That names the file. */
  readonly flag: string
  readonly file: Readonly<Record<string, unknown>>
}

const WEB = `tls_server_config:
  cert_file: cert.pem
  key_file: key.pem
  client_ca_file: ca.pem
  client_auth_type: VerifyClientCertIfGiven
`
const ISSUER = "https://portal.example.org"

/** One process over TLS, and what sends requests for each client: in turn by a token, a JWT that narrows, a certificate. */
export async function startForAllCredentials(
  t: TestContext,
  served: Served,
  clients: readonly Wanted[],
): Promise<readonly SendRequest[]> {
  const files = temporaryFolder(t)
  const authority = makeAuthority("authority")
  const { cert, key } = authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })
  for (const [name, text] of Object.entries({ cert, key, ca: authority.cert })) await files.write(`${name}.pem`, text)
  const { publicKey, privateKey } = generateKeyPairSync("ed25519")
  await files.write("jwks.json", JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }))

  const policy = { ...served.file, limits: { requests_per_second: 100_000 } }
  const [tokens, jwt, certificates]: [object[], object[], object[]] = [[], [], []]
  const env: Record<string, string> = {}
  const senders: ((url: string) => SendRequest)[] = []
  for (const [index, { match, ceiling, enforce, own }] of clients.entries()) {
    const name = `client-${index}`
    const entry = { name, match, enforce, share_everything: true, ...own?.entry }
    const ca = authority.cert
    if (index % 3 === 0) {
      const token = (env[`TOKEN_${index}`] = `tOken-${index}-3kq0Xw7sPl2Vn8Rz`)
      tokens.push({ ...entry, env: `TOKEN_${index}` })
      senders.push((url) => connectTo(t, url, { authorization: `Bearer ${token}` }, { ca }))
    } else if (index % 3 === 1) {
      jwt.push({ ...entry, match: ceiling, issuer: ISSUER, audience: name, jwks: { file: "jwks.json" } })
      const token = await new SignJWT({ iss: ISSUER, aud: name, match, ...own?.claims })
        .setProtectedHeader({ alg: "EdDSA" })
        .setExpirationTime("1h")
        .sign(privateKey)
      senders.push((url) => connectTo(t, url, { authorization: `Bearer ${token}` }, { ca }))
    } else {
      const san = `URI:spiffe://portal.example.org/${name}`
      certificates.push({ ...entry, san })
      const client = authority.issue({ name, sans: [san] })
      senders.push((url) => connectTo(t, url, {}, { ca, ...client }))
    }
  }
  const file = await files.write("policy.yaml", JSON.stringify({ ...policy, tokens, jwt, certificates }))
  const web = await files.write("web.yml", WEB)
  const flags = [served.flag, file, "--web.config.file", web]
  const proxy = await startProxyProcess(flags, env, served.command)
  t.after(() => proxy.stop())
  return senders.map((sender) => sender(`https://127.0.0.1:${proxy.port}`))
}
