import type { TestContext } from "node:test"
import {
  fakeCloud,
  type FakeCloud,
  type FakeProject,
  type FakeServer,
  type FakeState,
} from "../openstack/fake-cloud.testing.ts"
import { startTestExporter, type TestExporter } from "../testing.ts"

export const HOUR = 3_600_000
/** When tests begin. */
export const NOW = Date.UTC(2026, 2, 10, 12)

/** A server of 2 vCPUs and 4 GiB, since ten hours. */
export const server = (id: string, project: string, changes: Partial<FakeServer> = {}): FakeServer => ({
  id,
  project,
  vcpus: 2,
  memoryMb: 4096,
  launchedAt: NOW - 10 * HOUR,
  ...changes,
})
export const project = (id: string, name = id, domain = "d", more = {}): FakeProject => ({ id, name, domain, more })

/** Values of a family by region, period and name of the project. */
export async function values(
  exporter: TestExporter,
  family = "project_vcpu_usage",
): Promise<Readonly<Record<string, number>>> {
  const lines = (await exporter.scrape()).matchAll(new RegExp(`^${family}\\{(.*)\\} (.*)$`, "gm"))
  return Object.fromEntries(
    [...lines].map(([, labels = "", value]) => {
      const label = (name: string): string => new RegExp(`\\b${name}="(.*?)"`).exec(labels)?.[1] ?? ""
      return [["region", "period", "project_name"].map(label).filter(Boolean).join("/"), Number(value)]
    }),
  )
}

export interface Tested {
  readonly api: FakeCloud
  /** The one that runs. */
  exporter: TestExporter
  /** Moves both clocks to so many hours after NOW, and updates. */
  readonly at: (hours: number) => Promise<void>
  /** Ends the exporter and starts another. */
  readonly restart: () => Promise<void>
}

/** An exporter of a fake cloud since 2026-03-01, after its first update. */
export async function exporterOf(
  t: TestContext,
  state: Partial<FakeState>,
  argv: readonly string[] = [],
): Promise<Tested> {
  const api = fakeCloud(state)
  const args = ["--start", "2026-03-01", "--domain", "--update-interval", "1h", ...argv]
  const start = async (): Promise<TestExporter> => {
    const exporter = await startTestExporter(t, args, [api], new Date(api.state.now))
    await exporter.scrape() // waits for the first update
    return exporter
  }
  const tested: Tested = {
    api,
    exporter: await start(),
    async at(hours) {
      api.state.now = NOW + hours * HOUR
      tested.exporter.clock.now = new Date(api.state.now)
      await tested.exporter.update()
    },
    async restart() {
      await tested.exporter.close()
      tested.exporter = await start()
    },
  }
  return tested
}
