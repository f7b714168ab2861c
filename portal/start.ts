import { closeAll } from "#core/closable.ts"
import type { Context, Running } from "#core/component.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import type { WebValues } from "#core/http/settings.ts"
import { type RunningFederation, startFederation } from "./federation/federation.ts"
import type { FederationSettings } from "./federation/settings.ts"

/** Throws CANNOT_LISTEN, and ConfigurationError for faults in the files. */
export async function startPortal(settings: FederationSettings & WebValues, { log, env }: Context): Promise<Running> {
  const registry = createRegistry()
  let federation: RunningFederation | undefined
  const notReady = () => (federation === undefined ? "The configuration files are being read." : federation.notReady())
  // first the port: a second portal that is started by mistake must not write the files of the first
  const server = await serve({
    addresses: settings.webListenAddress,
    webConfigFile: settings.webConfigFile,
    registry,
    log,
    routes: (app) => addAdmin(app, { registry, notReady }),
  })
  try {
    const started = await startFederation({ settings, env, registry, log })
    federation = started
    return {
      close: () => closeAll([server, started]),
      reload: async () => void (await Promise.all([started.reload(), server.reload()])),
    }
  } catch (error) {
    await server.close()
    throw error
  }
}
