import { cpus } from "node:os"
import { performance } from "node:perf_hooks"

/** CPU time that everything on this machine used since `begin`, beside the time that passed: what waits could run beside more. */
export function startUsage(): () => string {
  const [begin, busy] = [performance.now(), busySeconds()]
  return () => {
    const seconds = ((performance.now() - begin) / 1000).toFixed(0)
    return `${seconds} s, ${(busySeconds() - busy).toFixed(0)} s of CPU time on ${cpus().length} cores`
  }
}

function busySeconds(): number {
  const milliseconds = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq)
  return milliseconds.reduce((sum, one) => sum + one, 0) / 1000
}
