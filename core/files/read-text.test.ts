import assert from "node:assert/strict"
import { test } from "node:test"
import { textOf } from "./read-text.ts"

test("names the user that must be able to read a file, which in a container is not the one who wrote it", () => {
  const error = Object.assign(new Error("EACCES: permission denied, open '/etc/fedstack/token'"), { code: "EACCES" })
  const user = process.geteuid?.()
  assert.throws(() => textOf(error, "/etc/fedstack/token", "sites.yaml:3:5 sites[0].token.file"), {
    message: `sites.yaml:3:5 sites[0].token.file: the file /etc/fedstack/token cannot be read: EACCES: permission denied; fedstack runs as user ${user} and must be able to read it`,
  })
})
