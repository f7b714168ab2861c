import type { Context, Running } from "#core/component.ts"
import { readText } from "#core/files/read-text.ts"
import { reloadOnChange } from "#core/files/reload.ts"
import { openKubernetes } from "#core/kubernetes/api.ts"
import { retry } from "#core/retry/retry.ts"
import { attemptInTime } from "./attempts.ts"
import { type Credentials, readCredentials } from "./credentials.ts"
import { writeFiles } from "./files.ts"
import type { Identity } from "./identity.ts"
import { readIdentity } from "./read-identity.ts"
import { jsonOf, lineOf } from "./report.ts"
import type { ClusterIdentityValues } from "./settings.ts"
import { sourcesOf } from "./sources.ts"

/** Reads everything, then writes everything; with `watch` again when the credentials change. Throws ExitError. */
export async function startClusterIdentity(
  values: ClusterIdentityValues,
  context: Context,
): Promise<Running | undefined> {
  const { print, log } = context
  const show = values.outputFormat === "json" ? jsonOf : lineOf
  const write = async (identity: Identity, credentials: Credentials): Promise<void> =>
    print(show(identity, credentials, await writeFiles(identity, credentials, values)))
  if (!values.watch) {
    const credentials = readCredentials(values, readText) // first: it takes no time to see that there are none
    await write(await identityOf(values, context), credentials)
    return undefined
  }
  let identity: Identity | undefined
  const ending = new AbortController()
  const reloading = await reloadOnChange<Credentials>({
    config: "credentials",
    load: (read) => readCredentials(values, read),
    async apply(credentials) {
      const known = identity
      if (known !== undefined) {
        // nothing else would write what was read
        const attempt = () => write(known, credentials)
        await retry(attempt, { signal: ending.signal, log, task: "writing the files" })
        return
      }
      identity = await identityOf(values, context)
      await write(identity, credentials)
    },
    summary: ({ from }) => ({ from }),
    log,
  })
  // watches of files keep no process alive
  const alive = setInterval(() => undefined, 86_400_000)
  return {
    reload: () => reloading.reload(),
    async close() {
      clearInterval(alive)
      ending.abort()
      await reloading.close()
    },
  }
}

/** Neither changes while the cluster lives. */
async function identityOf(values: ClusterIdentityValues, { env, log, signal }: Context): Promise<Identity> {
  const { kubeconfig, context, namespace, timeout } = values
  const api = await openKubernetes({ kubeconfig, context, env })
  try {
    return await attemptInTime((inTime) => readIdentity(sourcesOf(api, namespace, inTime), values), {
      timeout,
      signal,
      log,
    })
  } finally {
    await api.close()
  }
}
