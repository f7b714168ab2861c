import assert from "node:assert/strict"
import { mkdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { temporaryFolder } from "../testing/folder.ts"
import { webDependencies } from "./package.ts"
import { providePrometheus } from "./prometheus.ts"

/** A program whose --version is that of Prometheus. */
async function pretend(path: string, version: string): Promise<void> {
  await mkdir(path, { recursive: true })
  const script = `#!/bin/sh\necho 'prometheus, version ${version} (branch: none)'\n`
  await writeFile(join(path, "prometheus"), script, { mode: 0o755 })
}

function provide(cache: string, env: Record<string, string>) {
  return providePrometheus({ env, cache, say: () => undefined, signal: new AbortController().signal })
}

test("prefers the Prometheus in PATH to the unpacked one", async (t) => {
  const { path } = temporaryFolder(t)
  await pretend(join(path, "bin"), "3.5.0")
  await pretend(join(path, "prometheus", "usr", "bin"), "2.42.0+ds")
  assert.deepEqual(await provide(path, { PATH: `:/nowhere:${path}/bin` }), {
    binary: join(path, "bin", "prometheus"),
    version: "3.5.0",
    flags: [],
  })
})

test("prefers the one in FEDSTACK_PROMETHEUS_DIR to all others", async (t) => {
  const { path } = temporaryFolder(t)
  await pretend(join(path, "bin"), "3.5.0")
  await pretend(join(path, "named"), "2.53.0")
  const found = await provide(path, { PATH: `${path}/bin`, FEDSTACK_PROMETHEUS_DIR: `${path}/named` })
  assert.equal(found.version, "2.53.0")
})

test("uses the one that was unpacked before", async (t) => {
  const { path } = temporaryFolder(t)
  await pretend(join(path, "prometheus", "usr", "bin"), "2.42.0+ds")
  assert.equal((await provide(path, { PATH: "/nowhere" })).version, "2.42.0")
})

test("reports that FEDSTACK_PROMETHEUS_DIR holds none", async (t) => {
  const { path } = temporaryFolder(t)
  await assert.rejects(provide(path, { PATH: "", FEDSTACK_PROMETHEUS_DIR: "/nowhere" }), {
    message:
      "No Prometheus found: FEDSTACK_PROMETHEUS_DIR is /nowhere, which holds no such program. Install it (https://prometheus.io/download/, or your system's package), and put it in PATH or name its folder in FEDSTACK_PROMETHEUS_DIR.",
  })
})

test("names what to install where there is no apt", async (t) => {
  const { path } = temporaryFolder(t)
  await assert.rejects(provide(path, { PATH: "/nowhere" }), {
    code: "NO_PROMETHEUS",
    message:
      /^No Prometheus found: PATH has none, and apt-get is missing, so this is no Debian or Ubuntu.* Install it /,
  })
})

test("reports a program that does not run", async (t) => {
  const { path } = temporaryFolder(t)
  await symlink("/bin/false", join(path, "prometheus"))
  await assert.rejects(provide(path, { PATH: path }), {
    code: "NO_PROMETHEUS",
    message: new RegExp(`^No Prometheus found: ${path}/prometheus does not run`),
  })
})

test("finds the packages of web pages among dependencies", () => {
  const depends =
    "adduser, fonts-glyphicons-halflings, libjs-jquery (>= 3.5.1~), libjs-d3:any | libjs-d4, libc6 (>= 2.34)\n"
  assert.deepEqual(webDependencies(depends), ["fonts-glyphicons-halflings", "libjs-jquery", "libjs-d3"])
})
