import { readFileSync } from "node:fs"
import type { TestContext } from "node:test"
import { Registry } from "prom-client"
import { sha256 } from "#core/auth/secrets.ts"
import { readText } from "#core/files/read-text.ts"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { openAccess } from "../access/access.ts"
import { network, type Network } from "../access/networks.ts"
import type { RolloutProblem } from "../federation/rollout.ts"
import { loadSites } from "../federation/sites.ts"
import { testInputs } from "../federation/testing.ts"
import { openChanges } from "../sites-file/apply.ts"
import { fakeSites, NOW } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import { servePages } from "./testing.ts"

export const ADA = "ada-4f1c2b7d9e0a6853-operator"

export const SITES_FILE = `# The sites of the north.
sites:
  - name: bonn-2 # by the river
    url: https://bonn-2.example.org
    labels: {location: Bonn}
    token: {file: tokens/bonn-2}
`

/** What Prometheus makes of the configuration. */
export interface Verdict {
  confirmed?: Date | undefined
  problem?: RolloutProblem | undefined
}

/** The API on a file of its own, with an operator's token; Prometheus says what `verdict` has. */
export async function serveSitesApi(t: TestContext) {
  const { path: folder, write } = temporaryFolder(t)
  const file = await write("sites.yaml", SITES_FILE)
  for (const name of ["bonn-2", "kiel-1"]) await write(`tokens/${name}`, "t0ken-of-a-site")
  const operators = await write("operators.yaml", `tokens: [{name: ada, sha256: ${sha256(ADA).toString("hex")}}]\n`)
  const log = createLogger({ level: "error", format: "logfmt" }, "portal", () => undefined)
  const settings = {
    authHeader: "x-user",
    authProxy: [network("127.0.0.1") as Network],
    authGroupsHeader: "x-groups",
    adminGroup: "admins",
    adminTokenFile: operators,
  }
  const access = await openAccess(settings, { log, env: {}, now: () => NOW, registry: new Registry() })
  t.after(() => access.close())
  const verdict: Verdict = { confirmed: NOW }
  const change = openChanges(
    file,
    (text) =>
      Promise.try(() =>
        loadSites(
          file,
          testInputs({}, (name, where) => (name === file ? text : readText(name, where))),
        ),
      ),
    {
      reload: () => Promise.resolve(),
      faults: () => [],
      rollouts: [{ confirmed: () => verdict.confirmed, problem: () => verdict.problem }],
    },
    0.2,
  )
  const source = fakeSource(fakeSites(30))
  const { url, close, log: logged } = await servePages(source, { sites: { access, change } })
  t.after(close)
  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    fetch(`${url}/api/v1/sites${path}`, {
      method,
      headers: { authorization: `Bearer ${ADA}`, "content-type": "application/json", ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
  return { url, source, file, folder, verdict, send, log: logged, text: () => readFileSync(file, "utf8") }
}
