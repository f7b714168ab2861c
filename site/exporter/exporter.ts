import type { Component, Context } from "#core/component.ts"
import { setting, type Settings, tracked, type Values, whole } from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import type { Served } from "#core/http/server.ts"
import { webSettings } from "#core/http/settings.ts"
import type { Collector, ExporterContext, Open } from "./collector.ts"
import type { Listening } from "./start.ts"

/** What makes an exporter: its settings and its collector. */
export interface Exporter<S extends Settings> {
  /** The label `collector` of the metrics on its runs. */
  readonly name: string
  readonly settings: S
  /** A whole command line, for the help. */
  readonly example: string
  /** Where more is said, below docs/: `project-usage.md`. */
  readonly docs: string
  /** Where it listens, on all addresses. */
  readonly port: number
  /** The original's own flag for that port. */
  readonly portFlag?: { readonly flag: `${string}--${string} <port>`; readonly env?: readonly string[] }
  /** Whether it prints one collection and ends. */
  once?(values: Values<S>): boolean
  /** Throws UsageError and ConfigurationError for what cannot work from the beginning. */
  open(values: Values<S>, context: ExporterContext): Collector | Promise<Collector>
}

type ListenSettings = ReturnType<typeof listenSettings>

export interface ExporterCommand<S extends Settings> extends Component<S> {
  run(values: Values<S>, context: Context): Promise<Served | undefined>
}

/**
 * The command of an exporter. It serves what the collector reads on `/` and `/metrics`, with health and its own metrics,
 * and closes and reloads everything; `collectors/index.ts` lists the commands.
 */
export function exporter<const S extends Settings>(definition: Exporter<S>): ExporterCommand<S & ListenSettings> {
  return {
    settings: { ...definition.settings, ...listenSettings(definition) },
    example: definition.example,
    docs: definition.docs,
    once: (values) => definition.once?.(values) === true,
    run: async (values, context) => {
      // what serves is loaded only when it runs: the help needs none of it
      const { printOnce, startExporter } = await import("./start.ts")
      const open: Open = (own) => definition.open(values, own)
      if (definition.once?.(values) === true) return printOnce(definition.name, open, context)
      return startExporter(definition.name, open, context, listeningOf(definition, values))
    },
  }
}

function listenSettings({ port, portFlag }: Pick<Exporter<Settings>, "port" | "portFlag">) {
  const help =
    "Listen on this port, on all addresses: short for --web.listen-address :PORT, which must not name another one"
  const ownPort = setting(whole(0, 65_535), {
    group: "Web server",
    shorthand: true,
    flag: "",
    ...portFlag,
    help,
    defaultText: String(port),
  })
  const web = webSettings(`:${port}`)
  return {
    ...web,
    webListenAddress: tracked(web.webListenAddress), // it may contradict the port's own flag
    ...(portFlag === undefined ? ({} as { readonly port: typeof ownPort }) : { port: ownPort }),
  }
}

/** Where to listen. Throws UsageError if the two flags name different ports. */
export function listeningOf(
  definition: Pick<Exporter<Settings>, "port" | "portFlag">,
  { port, webListenAddress, webConfigFile }: Values<ListenSettings>,
): Listening {
  const byPort = definition.portFlag?.flag.replace(/^.*(--\S+) .*$/, "$1") ?? ""
  const { value: addresses, isDefault } = webListenAddress
  if (port === undefined) return { addresses, flag: "--web.listen-address", webConfigFile }
  if (isDefault) return { addresses: [{ host: "", port }], flag: byPort, webConfigFile }
  if (addresses.every((address) => address.port === port)) return { addresses, flag: byPort, webConfigFile }
  const message = `is ${port}, but --web.listen-address names another port. Set only one of the two`
  throw new UsageError([{ where: byPort, message }])
}
