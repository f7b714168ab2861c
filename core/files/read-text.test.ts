import assert from "node:assert/strict"
import { test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { readText, textOf } from "./read-text.ts"

test("names the user that must be able to read a file, which in a container is not the one who wrote it", () => {
  const error = Object.assign(new Error("EACCES: permission denied, open '/etc/fedstack/token'"), { code: "EACCES" })
  const user = process.geteuid?.()
  assert.throws(() => textOf(error, "/etc/fedstack/token", "sites.yaml:3:5 sites[0].token.file"), {
    message: `sites.yaml:3:5 sites[0].token.file: the file /etc/fedstack/token cannot be read: EACCES: permission denied; fedstack runs as user ${user} and must be able to read it`,
  })
})

test("names the example to copy where a file that has one is missing", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("sites.example.yaml", "sites: []\n")
  const missing = "cannot be read: ENOENT: no such file or directory"
  assert.throws(() => readText(`${path}/sites.yaml`), {
    message: `${path}/sites.yaml: ${missing}; copy sites.example.yaml beside it to this name, and edit it`,
  })
  assert.throws(() => readText(`${path}/other.yaml`), { message: `${path}/other.yaml: ${missing}` })
  assert.throws(() => readText(`${path}/sites`), { message: `${path}/sites: ${missing}` })
})

test("says that a folder is one, and what to do", async (t) => {
  const { path, write } = temporaryFolder(t)
  const where = "sites.yaml:3:5 sites[0].token.file"
  assert.throws(() => readText(path, where), {
    message: `${where}: the file ${path} cannot be read: it is an empty folder, as Docker makes one where a file to mount does not exist; remove it and create the file`,
  })
  await write("token", "")
  assert.throws(() => readText(path, where), {
    message: `${where}: the file ${path} cannot be read: it is a folder; name a file in it`,
  })
})
