import assert from "node:assert/strict"
import { test } from "node:test"
import { accessOf } from "./access.ts"
import { signInBody } from "./token.ts"
import { variablesOfEnvironment } from "./variables.ts"

const access = (env: Readonly<Record<string, string>>) => accessOf(variablesOfEnvironment(env).settings(), undefined)
const URL_ONLY = { OS_AUTH_URL: "https://k.example.org:5000/v3" }
const USER = { ...URL_ONLY, OS_USERNAME: "ann", OS_USER_DOMAIN_NAME: "Default", OS_PASSWORD: "p" }
const PROJECT = { OS_PROJECT_NAME: "admin", OS_PROJECT_DOMAIN_ID: "default" }

const byPassword = (user: unknown, scope: unknown) => ({
  auth: { identity: { methods: ["password"], password: { user } }, scope },
})
const ANN = { name: "ann", domain: { name: "Default" }, password: "p" }
const ADMIN = { project: { name: "admin", domain: { id: "default" } } }
const application = (credential: unknown) => ({
  auth: { identity: { methods: ["application_credential"], application_credential: credential } },
})

const WAYS: readonly (readonly [string, Readonly<Record<string, string>>, unknown])[] = [
  ["a user by name, a project by name", { ...USER, ...PROJECT }, byPassword(ANN, ADMIN)],
  [
    "ids",
    { ...URL_ONLY, OS_USER_ID: "u1", OS_PASSWORD: "p", OS_PROJECT_ID: "p1" },
    byPassword({ id: "u1", password: "p" }, { project: { id: "p1" } }),
  ],
  ["a domain as the scope", { ...USER, OS_DOMAIN_NAME: "d" }, byPassword(ANN, { domain: { name: "d" } })],
  ["a system scope", { ...USER, OS_SYSTEM_SCOPE: "all" }, byPassword(ANN, { system: { all: true } })],
  [
    "one domain for user and project",
    { ...URL_ONLY, OS_USERNAME: "ann", OS_PASSWORD: "p", OS_PROJECT_NAME: "admin", OS_DOMAIN_ID: "d" },
    byPassword(
      { name: "ann", domain: { id: "d" }, password: "p" },
      { project: { name: "admin", domain: { id: "d" } } },
    ),
  ],
  [
    "a default domain and a tenant, as they are called in old files",
    { ...URL_ONLY, OS_USERNAME: "ann", OS_PASSWORD: "p", OS_TENANT_NAME: "admin", OS_DEFAULT_DOMAIN: "d" },
    byPassword(
      { name: "ann", domain: { id: "d" }, password: "p" },
      { project: { name: "admin", domain: { id: "d" } } },
    ),
  ],
  [
    "an application credential by id, which has its scope itself",
    {
      ...USER,
      ...PROJECT,
      OS_AUTH_TYPE: "v3applicationcredential",
      OS_APPLICATION_CREDENTIAL_ID: "c1",
      OS_APPLICATION_CREDENTIAL_SECRET: "s",
    },
    application({ id: "c1", secret: "s" }),
  ],
  [
    "an application credential by name, without a type",
    { ...USER, OS_APPLICATION_CREDENTIAL_NAME: "c", OS_APPLICATION_CREDENTIAL_SECRET: "s" },
    application({ name: "c", user: { name: "ann", domain: { name: "Default" } }, secret: "s" }),
  ],
  [
    "a token",
    { ...URL_ONLY, ...PROJECT, OS_AUTH_TYPE: "v3token", OS_TOKEN: "t" },
    { auth: { identity: { methods: ["token"], token: { id: "t" } }, scope: ADMIN } },
  ],
  [
    "a token where the type is the default",
    { ...URL_ONLY, ...PROJECT, OS_AUTH_TYPE: "password", OS_AUTH_TOKEN: "t" },
    { auth: { identity: { methods: ["token"], token: { id: "t" } }, scope: ADMIN } },
  ],
]
for (const [what, env, expected] of WAYS) {
  test(`signs in with ${what}`, () => assert.deepEqual(JSON.parse(signInBody(access(env))), expected))
}

test("accepts the address with and without a version, and with a wrong one", () => {
  for (const path of ["", "/", "/v3", "/v3/", "/v2.0", "/v2.0/"]) {
    const { authUrl } = access({ ...USER, ...PROJECT, OS_AUTH_URL: `https://k.example.org/identity${path}` })
    assert.equal(authUrl, "https://k.example.org/identity/v3")
  }
})

test("accepts an interface by its name and by that of old catalogs, and endpoints of one's own", () => {
  const { interface: chosen, overrides } = access({
    ...USER,
    ...PROJECT,
    OS_INTERFACE: "adminURL",
    OS_COMPUTE_ENDPOINT_OVERRIDE: "http://n:8774/v2.1/",
    OS_IDENTITY_ENDPOINT_OVERRIDE: "http://k:5000",
  })
  assert.equal(chosen, "admin")
  assert.deepEqual(overrides, { compute: "http://n:8774/v2.1", identity: "http://k:5000/v3" })
  assert.equal(access({ ...USER, ...PROJECT, OS_ENDPOINT_TYPE: "internal" }).interface, "internal")
  const both = { OS_INTERFACE: "internal", OS_ENDPOINT_TYPE: "publicURL" }
  assert.equal(access({ ...USER, ...PROJECT, ...both }).interface, "internal")
})

const FAULTY: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  [
    "everything that is missing, at once",
    {},
    [
      "OS_AUTH_URL is missing",
      "OS_USERNAME (or OS_USER_ID) is missing",
      "OS_USER_DOMAIN_NAME (or OS_USER_DOMAIN_ID) is missing",
      "OS_PASSWORD is missing",
      "OS_PROJECT_NAME (or OS_PROJECT_ID or OS_DOMAIN_NAME or OS_SYSTEM_SCOPE) is missing",
    ],
  ],
  ["an empty variable as missing", { ...USER, ...PROJECT, OS_PASSWORD: "" }, ["OS_PASSWORD is missing"]],
  [
    "domains that are missing",
    { ...URL_ONLY, OS_USERNAME: "ann", OS_PASSWORD: "p", OS_PROJECT_NAME: "admin" },
    [
      "OS_USER_DOMAIN_NAME (or OS_USER_DOMAIN_ID) is missing",
      "OS_PROJECT_DOMAIN_NAME (or OS_PROJECT_DOMAIN_ID) is missing",
    ],
  ],
  [
    "what an application credential lacks",
    { ...URL_ONLY, OS_AUTH_TYPE: "v3applicationcredential" },
    [
      "OS_APPLICATION_CREDENTIAL_ID (or OS_APPLICATION_CREDENTIAL_NAME) is missing",
      "OS_APPLICATION_CREDENTIAL_SECRET is missing",
    ],
  ],
  ["a token that is missing", { ...URL_ONLY, ...PROJECT, OS_AUTH_TYPE: "token" }, ["OS_TOKEN is missing"]],
  [
    "everything that is wrong",
    {
      ...USER,
      ...PROJECT,
      OS_AUTH_URL: "k.example.org",
      OS_IDENTITY_API_VERSION: "2.0",
      OS_AUTH_TYPE: "v3oidcpassword",
      OS_SYSTEM_SCOPE: "all",
      OS_INTERFACE: "outside",
      OS_KEY: "k.pem",
    },
    [
      "OS_IDENTITY_API_VERSION must be 3: version 2 is gone from OpenStack",
      "OS_AUTH_URL must be a URL that starts with http:// or https://",
      "OS_AUTH_TYPE must be v3password, v3applicationcredential or v3token. For every other sign-in method, make an application credential and use that",
      "OS_SYSTEM_SCOPE cannot be set together with OS_PROJECT_NAME: keep one of them",
      "OS_INTERFACE must be public, internal or admin",
      "OS_CERT is missing",
    ],
  ],
  [
    "version 2 of the API",
    { ...USER, ...PROJECT, OS_AUTH_TYPE: "v2password" },
    [
      "OS_AUTH_TYPE must be v3password, v3applicationcredential or v3token: version 2 of the identity API is gone. For every other sign-in method, make an application credential and use that",
    ],
  ],
]
for (const [what, env, faults] of FAULTY) {
  test(`reports ${what}`, () =>
    assert.throws(() => access(env), {
      name: "ConfigurationError",
      message: faults.map((fault) => `the environment: ${fault}`).join("\n"),
    }))
}
