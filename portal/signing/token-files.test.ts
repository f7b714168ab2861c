import assert from "node:assert/strict"
import { test } from "node:test"
import { mayKeepFirstToken, parseVersion } from "../federation/version.ts"
import { withTokens } from "./token-files.ts"

const token = { token: "signed", kid: "key", issued: 0, expires: 3600 }
const site = (name: string) => ({
  name,
  interval: 30,
  jwt: { audience: name },
  secretFile: `tokens/${name}.jwt.00000000`,
})
const config = (path: string) =>
  `- job_name: "b"\n  authorization:\n    credentials_file: "tokens/b.12345678"\n- credentials_file: "${path}"\n`
const plan = {
  sites: [site("a"), { name: "b", interval: 30 }, { ...site("c"), paused: {} }],
  files: [
    { path: "tokens/b.12345678", content: "other", mode: 0o640 },
    { path: "prometheus.yml", content: config("tokens/a.jwt.00000000"), mode: 0o640 },
  ],
}
const pathsOf = (renames: boolean) => withTokens(plan, () => token, renames).files.map(({ path }) => path)

test("a token replaces the one before in its place, or has a name of its own, which its job has too", () => {
  const stable = "tokens/a.jwt.ca978112"
  assert.match(pathsOf(false).join(), /^tokens\/a\.jwt\.[\da-f]{8},tokens\/b\.12345678,prometheus\.yml$/)
  assert.notDeepEqual(pathsOf(true), pathsOf(false))
  for (const renames of [false, true]) {
    const { files } = withTokens(plan, () => token, renames)
    assert.equal(files.at(-1)?.content, config(files[0]?.path ?? ""))
    assert.deepEqual([files[0]?.content, files[0]?.mode], ["signed", 0o640])
  }
  assert.equal(stable, pathsOf(false)[0])
})

test("a site without a new token keeps the file that it has", () => {
  assert.deepEqual(
    withTokens(plan, () => undefined, true),
    plan,
  )
})

test("names from 3.5 on: a version from there may keep a job's first token", () => {
  const may = (text: string) => mayKeepFirstToken(parseVersion(text) ?? { major: 0, minor: 0 })
  assert.deepEqual(["2.42.0+ds", "2.53.3", "3.4.2", "3.5.3", "3.14.0", "4.0.0"].map(may), [
    false,
    false,
    false,
    true,
    true,
    true,
  ])
})
