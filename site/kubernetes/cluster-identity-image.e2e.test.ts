import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { chmod, mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { findCompose, newName, run } from "../../dev/docker/compose.ts"
import { need } from "../../dev/testing/component.ts"
import { AWS, INFRASTRUCTURE, serveCluster } from "../cluster-identity/testing.ts"

const ROOT = join(import.meta.dirname, "../..")
const DOCKERFILE = join(import.meta.dirname, "cluster-identity/Dockerfile")
const GOLDEN = join(import.meta.dirname, "../cluster-identity/testdata/golden")

test("the deployment of the original's README works with the image alone replaced", { timeout: 600_000 }, async (t) => {
  if (need(t, await findCompose("Compose v2")) === undefined) return
  const { path, write, kubeconfig } = await serveCluster(t, { [INFRASTRUCTURE]: AWS })
  const [image, derived] = [newName(), newName()]
  t.after(() => run(["docker", "rmi", "-f", derived, image]))
  const build = await run(["docker", "build", "-q", "-t", image, ROOT])
  assert.equal(build.code, 0, build.output)
  const text = (await readFile(DOCKERFILE, "utf8")).replace("FROM fedstack", `FROM ${image}`)
  const second = await run(["docker", "build", "-q", "-t", derived, "-f", await write("Dockerfile", text), join(path)])
  assert.equal(second.code, 0, second.output)

  for (const name of ["secrets", "config"]) {
    await mkdir(join(path, name))
    await chmod(join(path, name), 0o777) // as an emptyDir is
  }
  await write("rawsecrets/aws_access_key_id", "AKIAIOSFODNN7EXAMPLE\n")
  await write("rawsecrets/aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG+bPxRfi%CYEXAMPLE=\n")
  await chmod(path, 0o755)
  const mounts = ["rawsecrets:ro", "secrets", "config"].flatMap((mount) => {
    const [name, mode = "rw"] = mount.split(":")
    return ["-v", `${path}/${name}:/${name}:${mode}`]
  })
  const account = ["-v", `${kubeconfig}:/kubeconfig:ro`, "-e", "KUBECONFIG=/kubeconfig"]
  const docker = ["docker", "run", "--rm", "--read-only", "--network=host", ...mounts, ...account, derived]
  const { code, output } = await run([...docker, "/usr/local/bin/init.py"])
  assert.deepEqual(
    [code, output],
    [
      0,
      "cluster id demo-x7k2p (infrastructures.config.openshift.io/cluster), region eu-central-1 (infrastructures.config.openshift.io/cluster); wrote /secrets/aws/credentials.ini, /secrets/aws/config.ini, /config/env/CLUSTERID; credentials from /rawsecrets/aws_access_key_id and /rawsecrets/aws_secret_access_key\n",
    ],
  )
  for (const name of ["secrets/aws/credentials.ini", "secrets/aws/config.ini", "config/env/CLUSTERID"])
    assert.equal(readFileSync(join(path, name), "utf8"), readFileSync(join(GOLDEN, name), "utf8"))
})
