import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { after, before, describe, test } from "node:test"
import { findOpenStack, type RunningOpenStack, startOpenStack } from "../../../../../dev/testing/openstack.ts"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { need } from "../../../../../dev/testing/component.ts"
import { until } from "../../../../../dev/testing/until.ts"
import { type Admin, adminOf } from "./keystone-admin.testing.ts"
import { openFor, type Opened } from "./testing.ts"

const found = findOpenStack()
const TOKEN_SECONDS = 8

if ("missing" in found) test("signing in to a real Keystone", (t) => void need(t, found))
else {
  describe("signing in to a real Keystone", () => {
    let openStack: RunningOpenStack
    let admin: Admin
    before(async () => {
      openStack = await startOpenStack(found.value, { tokenSeconds: TOKEN_SECONDS, keep: "sign-in" })
      admin = await adminOf(openStack)
    })
    after(() => openStack.close())

    const usage = (opened: Opened) =>
      opened.get("compute", "/os-simple-tenant-usage", { query: { detailed: "1" }, microversion: "2.40" })
    const readsAll = async (opened: Opened): Promise<void> => {
      assert.deepEqual(Object.keys((await usage(opened)) as object), ["tenant_usages"])
      const { projects } = (await opened.get("identity", "/projects")) as { projects: { name: string }[] }
      assert.ok(projects.some(({ name }) => name === "admin"))
      await opened.get("identity", "/domains")
      await opened.get("compute", "/servers/detail", { query: { all_tenants: "True" }, microversion: "2.40" })
    }
    const withoutProject = () =>
      Object.fromEntries(Object.entries(openStack.openrc).filter(([name]) => !name.startsWith("OS_PROJECT_")))

    test("with a password, in the scope of a project and of the system", async (t) => {
      await readsAll(await openFor(t, { env: openStack.openrc }))
      await readsAll(await openFor(t, { env: { ...withoutProject(), OS_SYSTEM_SCOPE: "all" } }))
    })

    test("with an application credential, by id and by name, and with a token", async (t) => {
      const name = `exporter-${process.pid}`
      const credential = await admin.applicationCredential(name)
      t.after(() => admin.call("DELETE", `/users/${admin.userId}/application_credentials/${credential.id}`))
      const url = { OS_AUTH_URL: openStack.authUrl }
      const secret = { OS_APPLICATION_CREDENTIAL_SECRET: credential.secret }
      await readsAll(
        await openFor(t, {
          env: {
            ...url,
            ...secret,
            OS_AUTH_TYPE: "v3applicationcredential",
            OS_APPLICATION_CREDENTIAL_ID: credential.id,
          },
        }),
      )
      const { OS_PASSWORD: _, ...others } = openStack.openrc
      await readsAll(await openFor(t, { env: { ...others, ...secret, OS_APPLICATION_CREDENTIAL_NAME: name } }))
      await readsAll(await openFor(t, { env: { ...others, OS_AUTH_TYPE: "v3token", OS_TOKEN: await admin.token() } }))
    })

    test("tokens are renewed before they end, so that no request is refused", async (t) => {
      const opened = await openFor(t, { env: openStack.openrc })
      const end = performance.now() + 2 * TOKEN_SECONDS * 1000
      await until(
        "two lives of a token to be over",
        async () => {
          await usage(opened)
          return performance.now() > end ? true : undefined
        },
        4 * TOKEN_SECONDS,
      )
      const metrics = await opened.metrics()
      assert.doesNotMatch(metrics, /outcome="unauthorized"/)
      const signIns = Number(/requests_total\{service="identity",outcome="ok"\} (\d+)/.exec(metrics)?.[1])
      assert.ok(signIns >= 3 && signIns <= 4, `${signIns} sign-ins`)
    })

    test("a password that was changed is read from the file, without a restart", async (t) => {
      const name = `rotated-${process.pid}`
      const id = await admin.user(name, "SECRET-1 'quoted'")
      t.after(() => admin.call("DELETE", `/users/${id}`))
      await admin.grant(`/projects/${admin.projectId}/users/${id}/roles`, "admin")
      const { write } = temporaryFolder(t)
      const file = (password: string) =>
        write(
          "usage-openrc",
          [
            "# of the dashboard, with the password filled in",
            `export OS_AUTH_URL=${openStack.authUrl.replace(/\/v3$/, "/")}`,
            `export OS_PROJECT_ID=${admin.projectId}`,
            `export OS_USER_DOMAIN_NAME="Default"`,
            `export OS_USERNAME="${name}"`,
            `OS_PASSWORD="${password}" # secret`,
          ].join("\n"),
        )
      const openrc = await file("SECRET-1 'quoted'")
      const opened = await openFor(t, { openrc })
      await readsAll(opened)
      await admin.call("PATCH", `/users/${id}`, { user: { password: "SECRET-2" } })
      const refused = await until("the old password to be refused", () =>
        usage(opened).then(
          () => undefined,
          (error: unknown) => error as Error,
        ),
      )
      assert.match(refused.message, new RegExp(`^${openStack.authUrl} refuses the sign-in of user ${name} \\(401\\)`))
      await file("SECRET-2")
      await readsAll(opened)
      assert.doesNotMatch(opened.log() + (await opened.metrics()), /SECRET/)
    })

    test("reports what a reader of the system lacks in Nova, though it may list projects", async (t) => {
      const name = `reader-${process.pid}`
      const id = await admin.user(name, "pw")
      t.after(() => admin.call("DELETE", `/users/${id}`))
      await admin.grant(`/system/users/${id}/roles`, "reader")
      const env = { ...withoutProject(), OS_USERNAME: name, OS_PASSWORD: "pw", OS_SYSTEM_SCOPE: "all" }
      const opened = await openFor(t, { env })
      await opened.get("identity", "/projects")
      await opened.get("identity", "/domains")
      await assert.rejects(usage(opened), {
        message: `compute at ${openStack.novaUrl}/os-simple-tenant-usage refuses the user (403): the policy os_compute_api:os-simple-tenant-usage:list requires another role; docs/openstack.md lists which. The user signs in to a system, which Nova allows admins only: sign in to a project (OS_PROJECT_NAME)`,
      })
    })

    test("reports which policies of Keystone a user of one project lacks", async (t) => {
      const name = `member-${process.pid}`
      const id = await admin.user(name, "pw")
      t.after(() => admin.call("DELETE", `/users/${id}`))
      await admin.grant(`/projects/${admin.projectId}/users/${id}/roles`, "member")
      const opened = await openFor(t, { env: { ...openStack.openrc, OS_USERNAME: name, OS_PASSWORD: "pw" } })
      await assert.rejects(opened.get("identity", "/projects"), /\(403\): the policy identity:list_projects requires/)
      await assert.rejects(opened.get("identity", "/domains"), /\(403\): the policy identity:list_domains requires/)
    })

    test("reports an application credential that does not exist as refused, though Keystone responds with 404", async (t) => {
      const env = {
        ...{ OS_AUTH_URL: openStack.authUrl, OS_AUTH_TYPE: "v3applicationcredential" },
        ...{ OS_APPLICATION_CREDENTIAL_ID: "f".repeat(32), OS_APPLICATION_CREDENTIAL_SECRET: "SECRET" },
      }
      await assert.rejects((await openFor(t, { env })).get(), {
        code: "OPENSTACK_UNAUTHORIZED",
        message: `${openStack.authUrl} refuses the sign-in of application credential ${"f".repeat(32)} (404: Could not find Application Credential: ${"f".repeat(32)}.), from the environment. Check its id (or name and user) and secret, and that it has not expired or been deleted. It is tried again as soon as the credentials change, else every 5 minutes, so that the account is not locked`,
      })
      const elsewhere = { ...openStack.openrc, OS_AUTH_URL: `${openStack.authUrl.replace("/v3", "")}/identity` }
      await assert.rejects((await openFor(t, { env: elsewhere })).get(), {
        code: "OPENSTACK_NOT_FOUND",
        message: `identity at ${elsewhere.OS_AUTH_URL}/v3/auth/tokens has no such address (404)`,
      })
    })

    test("finds Nova's version behind an address without one, and refuses the one without microversions", async (t) => {
      const root = openStack.novaUrl.replace("/v2.1", "")
      for (const url of [root, `${root}/`])
        await readsAll(await openFor(t, { env: { ...openStack.openrc, OS_COMPUTE_ENDPOINT_OVERRIDE: url } }))
      const old = await openFor(t, { env: { ...openStack.openrc, OS_COMPUTE_ENDPOINT_OVERRIDE: `${root}/v2` } })
      await assert.rejects(usage(old), {
        code: "OPENSTACK_MICROVERSION",
        message: `compute at ${root}/v2/os-simple-tenant-usage ignores microversion 2.40, without which it cuts lists: the header OpenStack-API-Version is missing in its response. Its address is that of /v2, which knows no microversions: set OS_COMPUTE_ENDPOINT_OVERRIDE (compute_endpoint_override in clouds.yaml) to ${root}/v2.1, or correct the catalog`,
      })
    })

    test("with the files of kolla-ansible, TripleO and a shell user, whatever the environment holds", async (t) => {
      const { write } = temporaryFolder(t)
      const other = { OS_AUTH_TYPE: "v3token", OS_TOKEN: "other", OS_SYSTEM_SCOPE: "all", OS_REGION_NAME: "other" }
      for (const name of ["kolla-ansible.rc", "tripleo.rc", "own-prompt.rc"]) {
        const text = await readFile(new URL(`openrc/testdata/${name}`, import.meta.url), "utf8")
        const openrc = await write(
          name,
          text
            .replace(/OS_AUTH_URL=.*/, `OS_AUTH_URL='${openStack.authUrl.replace("/v3", "")}'`)
            .replace(/OS_PASSWORD=.*/, `OS_PASSWORD='${openStack.openrc.OS_PASSWORD}'`)
            .replace(/internal(?:URL)?'/g, "public'"),
        )
        await readsAll(await openFor(t, { env: { ...other, OS_AUTH_URL: "http://127.0.0.1:1" }, openrc }))
      }
    })

    test("with passwords in clouds.yaml that read as numbers", async (t) => {
      const { write, path: HOME } = temporaryFolder(t)
      for (const password of ["0123456", "0x10", "1e5", "1.10", "yes", "2026-01-01"]) {
        const name = `n${password.replaceAll(/\W/g, "")}-${process.pid}`
        const id = await admin.user(name, password)
        t.after(() => admin.call("DELETE", `/users/${id}`))
        await admin.grant(`/projects/${admin.projectId}/users/${id}/roles`, "admin")
        const auth = `{auth_url: "${openStack.authUrl}", username: ${name}, user_domain_id: default, password: ${password}}`
        const yaml = `base: &base {auth: &auth ${auth}}\nclouds:\n  x:\n    <<: *base\n    auth: {<<: *auth, project_id: ${admin.projectId}}\n`
        await write(".config/openstack/clouds.yaml", yaml)
        await readsAll(await openFor(t, { env: { HOME } }))
      }
    })

    test("reports a microversion that Nova does not have, and a region that does not exist", async (t) => {
      const opened = await openFor(t, { env: openStack.openrc })
      await assert.rejects(opened.get("compute", "/servers", { microversion: "2.999" }), {
        message: `compute at ${openStack.novaUrl}/servers does not support microversion 2.999 (406). Nova 15 (Ocata) or later is needed`,
      })
      const elsewhere = await openFor(t, { env: { ...openStack.openrc, OS_REGION_NAME: "Elsewhere" } })
      await assert.rejects(elsewhere.get(), {
        message: `the cloud at ${openStack.authUrl} has no region Elsewhere with a compute service. It has RegionOne: set OS_REGION_NAME`,
      })
    })
  })
}
