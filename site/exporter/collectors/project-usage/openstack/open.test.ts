import assert from "node:assert/strict"
import { test } from "node:test"
import { makeAuthority } from "../../../../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { fakeCloud, openFor, variablesFor } from "./testing.ts"

const authority = makeAuthority("cloud CA")
const good = authority.issue({ name: "cloud", sans: ["DNS:localhost"] })

test("trusts a private authority when it is given, and reports what to set when it is not", async (t) => {
  const cloud = await fakeCloud(t, good)
  const { write } = temporaryFolder(t)
  const env = variablesFor(cloud.url)
  const known = await openFor(t, { env: { ...env, OS_CACERT: await write("ca.pem", authority.cert) } })
  assert.deepEqual(await known.get(), { ok: true })
  const unknown = await openFor(t, { env: { ...env, OS_INSECURE: "true" } })
  await assert.rejects(unknown.get(), {
    code: "OPENSTACK_TLS",
    message: `sign-in at ${cloud.url}/v3/auth/tokens: the certificate is of an unknown authority: unable to verify the first certificate. Give the authority's file: OS_CACERT`,
  })
  assert.match(
    unknown.log(),
    /level=warn .*certificates are verified although OS_INSECURE or verify is set\. Set OS_CACERT to the authority's file/,
  )
  assert.equal(cloud.signIns.length, 1)
})

test("reports an expired certificate, one of another host, and plain http behind https", async (t) => {
  const { write } = temporaryFolder(t)
  const ca = await write("ca.pem", authority.cert)
  const expired = await fakeCloud(t, authority.issue({ name: "c", sans: ["DNS:localhost"], notAfter: new Date(0) }))
  const other = await fakeCloud(t, authority.issue({ name: "c", sans: ["DNS:other.example.org"] }))
  const plain = (await fakeCloud(t)).url.replace("http:", "https:")
  const cases = [
    [expired.url, "the certificate has expired. Have it renewed; if it is not, check the clock of this machine"],
    [
      other.url,
      "the certificate is for another name: Hostname/IP does not match certificate's altnames: Host: localhost. is not in the cert's altnames: DNS:other.example.org. Use the name that stands in it",
    ],
    [plain, "the server does not speak TLS. Does it speak http there?"],
  ] as const
  for (const [url, message] of cases) {
    const { get } = await openFor(t, { env: { ...variablesFor(url), OS_CACERT: ca } })
    await assert.rejects(get(), { code: "OPENSTACK_TLS", message: `sign-in at ${url}/v3/auth/tokens: ${message}` })
  }
})

test("shows a client certificate, and reads a new one without a restart", async (t) => {
  const cloud = await fakeCloud(t, { ...good, ca: authority.cert, requestCert: true, rejectUnauthorized: true })
  const { write } = temporaryFolder(t)
  const client = authority.issue({ name: "exporter" })
  const stranger = makeAuthority("stranger").issue({ name: "exporter" })
  const env = {
    ...variablesFor(cloud.url),
    OS_CACERT: await write("ca.pem", authority.cert),
    OS_CERT: await write("client.pem", stranger.cert),
    OS_KEY: await write("client.key", stranger.key),
  }
  const { get } = await openFor(t, { env })
  await assert.rejects(get())
  await write("client.pem", client.cert)
  await write("client.key", client.key)
  assert.deepEqual(await get(), { ok: true })
  const both = await write("both.pem", client.cert + client.key)
  const { OS_KEY: _, ...one } = { ...env, OS_CERT: both }
  assert.deepEqual(await (await openFor(t, { env: one })).get(), { ok: true })
})

test("reports files that hold no certificate", async (t) => {
  const { write } = temporaryFolder(t)
  const file = await write("ca.pem", "no certificate SECRET")
  const env = variablesFor("https://k.example.org")
  await assert.rejects(openFor(t, { env: { ...env, OS_CACERT: file } }), {
    name: "ConfigurationError",
    message: `OS_CACERT: ${file} holds no certificate in PEM format`,
  })
  await assert.rejects(openFor(t, { env: { ...env, OS_CERT: file } }), {
    message: `OS_CERT: ${file} holds no certificate in PEM format
OS_CERT: ${file} holds no private key in PEM format without a passphrase`,
  })
  const missing = `${file}.missing`
  await assert.rejects(openFor(t, { env: { ...env, OS_CACERT: missing } }), {
    message: `OS_CACERT: the file ${missing} cannot be read: ENOENT: no such file or directory`,
  })
})

test("signs in to a domain for a request, with a token of its own", async (t) => {
  const cloud = await fakeCloud(t)
  const { apis } = await openFor(t, { env: variablesFor(cloud.url) })
  const { signal } = new AbortController()
  for (const domain of [undefined, "d", "d", undefined])
    await apis[0]?.get("identity", "/projects", { query: { domain_id: "d" }, domain, signal })
  const scopes = cloud.signIns.map(({ auth }) => (auth as { scope?: unknown }).scope)
  assert.deepEqual(scopes, [{ project: { name: "admin", domain: { id: "default" } } }, { domain: { id: "d" } }])
  assert.deepEqual(
    cloud.requests,
    ["token-1", "token-2", "token-2", "token-1"].map((token) => `GET /v3/projects?domain_id=d ${token}`),
  )
})

test("an application credential has its own scope", async (t) => {
  const cloud = await fakeCloud(t)
  const credential = { OS_APPLICATION_CREDENTIAL_ID: "c", OS_APPLICATION_CREDENTIAL_SECRET: "s" }
  const { apis } = await openFor(t, { env: { OS_AUTH_URL: cloud.url, ...credential } })
  const { signal } = new AbortController()
  await assert.rejects(async () => apis[0]?.get("identity", "/projects", { domain: "d", signal }), {
    code: "OPENSTACK_FORBIDDEN",
    message: "an application credential cannot sign in to a domain",
  })
  assert.equal(cloud.signIns.length, 0)
})
