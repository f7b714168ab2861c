import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Gauge, Registry } from "prom-client"
import { makeCloud, type Row } from "./exporter-cloud.ts"

/** An exporter as one writes it first: a fresh registry filled for every scrape. Prints its port. */
const { rows } = makeCloud(Number(process.argv[2]))
const FAMILIES: Readonly<Record<string, (row: Row) => number>> = {
  project_vcpu_usage: ({ vcpuHours }) => vcpuHours,
  project_mb_usage: ({ gibHours }) => gibHours,
  openstack_project_vcpu_seconds_total: ({ vcpuHours }) => vcpuHours * 3600,
  openstack_project_memory_byte_seconds_total: ({ gibHours }) => gibHours * 3600 * 2 ** 30,
}

async function scrape(): Promise<string> {
  const registry = new Registry()
  for (const [name, value] of Object.entries(FAMILIES)) {
    const labelNames = ["domain_id", "domain_name", "project_id", "project_name"]
    const gauge = new Gauge({ name, help: name, labelNames, registers: [registry] })
    for (const row of rows) gauge.set(row.labels, value(row))
  }
  return registry.metrics()
}

const server = createServer((_, response) => void scrape().then((text) => response.end(text)))
server.listen(0, "127.0.0.1", () => process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`))
