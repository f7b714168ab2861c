import { mkdir, readdir, watch } from "node:fs/promises"
import type { Progress } from "./progress.ts"
import type { Service } from "./service.ts"

export interface Stoppable {
  readonly name: string
  readonly services: readonly Pick<Service, "stop" | "start">[]
}

/** Keeps each site stopped as long as a file of its name stands in this folder, which it makes. Ends with the signal. */
export async function followStopped(
  folder: string,
  sites: readonly Stoppable[],
  { progress, signal }: { readonly progress: Pick<Progress, "say">; readonly signal: AbortSignal },
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const stopped = new Set<string>()
  const apply = async (): Promise<void> => {
    const names = new Set(await readdir(folder))
    for (const { name, services } of sites) {
      if (names.has(name) === stopped.has(name)) continue
      if (names.has(name)) {
        stopped.add(name)
        await Promise.all(services.map((service) => service.stop()))
        progress.say(`${name} is stopped.`)
      } else {
        stopped.delete(name)
        for (const service of services) service.start()
        progress.say(`${name} is started again.`)
      }
    }
  }
  try {
    const changes = watch(folder, { signal })
    await apply()
    for await (const _ of changes) await apply()
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
