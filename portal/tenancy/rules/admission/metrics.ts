import { Counter, Histogram, type Registry } from "prom-client"

export type AdmissionMetrics = ReturnType<typeof createAdmissionMetrics>

export const OUTCOMES = ["allowed", "denied", "skipped", "unfinished", "malformed"] as const

export function createAdmissionMetrics(registry: Registry) {
  const requests = new Counter({
    name: "fedstack_rules_admission_requests_total",
    help: "Reviews that the Kubernetes API requested, by outcome; skipped: nothing to check, unfinished: allowed without all checks.",
    labelNames: ["outcome"],
    registers: [registry],
  })
  for (const outcome of OUTCOMES) requests.inc({ outcome }, 0)
  return {
    requests,
    duration: new Histogram({
      name: "fedstack_rules_admission_request_duration_seconds",
      help: "From a whole request of the Kubernetes API to its response.",
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5],
      registers: [registry],
    }),
  }
}
