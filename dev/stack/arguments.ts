import { readSettings, type Reading } from "#core/config/read-settings.ts"
import { on, setting, settings as several, whole } from "#core/config/settings.ts"
import { breaking, LIST } from "./breakable.ts"

const settings = {
  sites: setting(whole(1, 1000), { flag: "--sites <number>", help: "Start so many sites", env: [] }, "2"),
  breaks: several(
    breaking,
    {
      flag: "--break <causes>",
      help: `Add a site that fails for each of these causes, such as tls_expired,forbidden; may be repeated; ${LIST} shows all`,
      env: [],
    },
    [],
  ),
  check: setting(
    on,
    {
      flag: "--check",
      help: "Stop everything as soon as every site is federated, and every cause is found; exit code 0",
      env: [],
    },
    "false",
  ),
  force: setting(
    on,
    { flag: "--force", help: "Start more sites than the memory of this machine allows", env: [] },
    "false",
  ),
}

/** The settings of `dev/up`. Throws UsageError with every fault. */
export function readArguments(argv: readonly string[]): Reading<typeof settings> {
  return readSettings(
    {
      command: "dev/up",
      summary:
        "Starts sites with invented data and the portal, each with a real Prometheus, on 127.0.0.1 and without Docker; " +
        "waits until the portal holds the series of every site. It prints the address of the portal's page, how to stop one site and what to watch; a process " +
        "that ends is started again. Ctrl-C stops everything; the logs stay in .cache/up/.\n\n" +
        "Ports: portal 17000, its Prometheus 17001, proxies of the sites from 17101 on; a free one where one is busy. " +
        "The first start installs the npm packages, and Prometheus into .cache/ where PATH and FEDSTACK_PROMETHEUS_DIR have none.",
      settings,
      example: "dev/up --sites 10",
    },
    argv,
    {},
  )
}
