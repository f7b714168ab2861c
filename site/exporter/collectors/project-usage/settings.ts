import { UsageError } from "#core/errors.ts"
import {
  duration,
  httpUrl,
  inGroup,
  on,
  type Parse,
  setting,
  settings,
  text,
  trimmed,
  type Values,
  whole,
  Wrong,
} from "#core/config/settings.ts"

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i

/** An ISO 8601 date or date and time; UTC where it has no offset. */
export const date: Parse<Date> = (value) => {
  const [, day, time = "00:00", offset = "Z"] = DATE.exec(value.trim()) ?? []
  const moment = new Date(`${day}T${time}${offset.toUpperCase()}`)
  // JavaScript takes the 30th of February for the 2nd of March
  const existing =
    day !== undefined && !Number.isNaN(moment.getTime()) && new Date(`${day}T00:00Z`).toJSON().startsWith(day)
  return existing ? moment : new Wrong("must be a date such as 2025-01-31 or 2025-01-31T08:00:00 (UTC)")
}

const RESERVED = ["domain_id", "domain_name", "project_id", "project_name", "cloud", "region"]
const propertyName: Parse<string> = (value) => {
  if (!/^[a-zA-Z_]\w*$/.test(value) || value.startsWith("__"))
    return new Wrong("must be names of labels: letters, digits and _, not beginning with a digit or __")
  return RESERVED.includes(value) ? new Wrong(`must not be ${RESERVED.join(", ")}, which exist already`) : value
}

/** What users set first comes first; the fake cloud comes last. */
export const usageSettings = {
  ...inGroup("What is exported", {
    start: setting(date, {
      flag: "-s, --start <date>",
      env: ["USAGE_EXPORTER_START_DATE"],
      defaultText: "the first of the current month",
      help: "Count usage since this date: 2025-01-31 or 2025-01-31T08:00:00, UTC",
    }),
    startDateEndpoint: setting(httpUrl, {
      flag: "--start-date-endpoint <url>",
      env: ["USAGE_EXPORTER_START_DATE_ENDPOINT"],
      help: "Read the start date as JSON from this URL; takes precedence over --start",
    }),
    domain: settings(
      trimmed,
      {
        flag: "--domain [name...]",
        env: ["USAGE_EXPORTER_PROJECT_DOMAINS"],
        emptyCounts: true,
        help: "Export the projects of these domains, given by name or id; without a name (or with an empty variable) of all",
      },
      ["elixir"],
    ),
    domainId: setting(trimmed, {
      flag: "--domain-id <id>",
      env: ["USAGE_EXPORTER_PROJECT_DOMAIN_ID"],
      help: "Export the projects of this domain only; takes precedence over --domain",
    }),
    simpleVmId: setting(trimmed, {
      flag: "--simple-vm-id <id>",
      env: ["USAGE_EXPORTER_SIMPLE_VM_PROJECT_ID"],
      help: "Group the servers of this project by a metadata tag, each value as a project of its own",
    }),
    simpleVmTag: setting(
      trimmed,
      {
        flag: "--simple-vm-tag <key>",
        env: ["USAGE_EXPORTER_SIMPLE_VM_PROJECT_TAG", "USAGE_EXORTER_SIMPLE_VM_PROJECT_TAG"],
        help: "Group the servers of --simple-vm-id by this tag",
      },
      "project_name",
    ),
    usageMonths: setting(
      whole(0, 120),
      {
        flag: "--usage-months <n>",
        help: "Export usage of each of the latest n months (UTC) beside the whole, with a label period; costs at most one more list request per update",
      },
      "0",
    ),
    inUse: setting(
      on,
      {
        flag: "--in-use <true|false>",
        help: "Export the servers, vCPUs, memory and disk that each project uses now; costs no request",
      },
      "true",
    ),
    projectLabels: settings(
      propertyName,
      {
        flag: "--project-labels <name...>",
        help: "Make these tags (NAME, NAME=value or NAME:value) and properties of projects labels of openstack_project_info",
      },
      [],
    ),
    quotaInterval: setting(duration(60), {
      flag: "--quota-interval <duration>",
      help: "Read the quotas of projects at this interval, one request for each; without it they are not read",
    }),
  }),
  ...inGroup("OpenStack", {
    openrc: setting(trimmed, {
      flag: "--openrc <file>",
      help: "Read OS_* variables from this openrc file, alone where it sets OS_AUTH_URL; no command in it is run",
    }),
    osCloud: settings(
      text,
      {
        flag: "--os-cloud <name...>",
        env: [],
        defaultText: "OS_CLOUD, which may name several, separated by commas",
        help: "Read these clouds of clouds.yaml",
      },
      [],
    ),
    osRegionName: settings(
      text,
      {
        flag: "--os-region-name <name...>",
        env: [],
        defaultText: "OS_REGION_NAME, which may name several, separated by commas; else those of clouds.yaml",
        help: "Read these regions",
      },
      [],
    ),
    osTimeout: setting(
      duration(0.1),
      { flag: "--os-timeout <duration>", help: "End a request to an OpenStack service after this time" },
      "60s",
    ),
  }),
  ...inGroup("Updates", {
    updateInterval: setting(
      duration(1),
      {
        flag: "-i, --update-interval <duration>",
        env: ["USAGE_EXPORTER_UPDATE_INTERVAL"],
        help: "Update at this interval",
      },
      "30s",
    ),
    maxAge: setting(duration(0), {
      flag: "--max-age <duration>",
      defaultText: "10m, or three update intervals where that is longer",
      help: "Serve the last usage for this time after updates began to fail",
    }),
    stateFile: setting(trimmed, {
      flag: "--state-file <file>",
      help: "Keep in this file what must survive a restart: up to when usage was counted, and the tags of deleted pool servers",
    }),
  }),
  ...inGroup("Weights", {
    weightUpdateEndpoint: setting(httpUrl, {
      flag: "--weight-update-endpoint <url>",
      env: ["USAGE_EXPORTER_WEIGHTS_UPDATE_ENDPOINT"],
      help: "Read weights as JSON from this URL",
    }),
    weightUpdateFrequency: setting(
      whole(1, 1_000_000),
      {
        flag: "--weight-update-frequency <n>",
        env: ["USAGE_EXPORTER_WEIGHT_UPDATE_FREQUENCY"],
        help: "Read the weights again at every n-th update",
      },
      "10",
    ),
    endpointTimeout: setting(
      duration(0.001),
      { flag: "--endpoint-timeout <duration>", help: "End a request for weights or the start date after this time" },
      "10s",
    ),
  }),
  ...inGroup("Log", {
    verbose: setting(
      on,
      { shorthand: true, flag: "-v, --verbose", env: ["USAGE_EXPORTER_VERBOSE_MODE"], help: "Log at the level debug" },
      "false",
    ),
  }),
  ...inGroup("Fake cloud", {
    dummyData: setting(trimmed, {
      flag: "-d, --dummy-data <file>",
      env: ["USAGE_EXPORTER_DUMMY_FILE"],
      help: "Read a fake cloud from this TOML file at every update, in place of the OpenStack that OS_* variables or clouds.yaml name",
    }),
    dummyWeights: setting(trimmed, {
      flag: "-w, --dummy-weights <file>",
      env: ["USAGE_EXPORTER_DUMMY_WEIGHTS_FILE"],
      help: "Read weights from this TOML file; takes precedence over --weight-update-endpoint",
    }),
  }),
}

export type UsageValues = Values<typeof usageSettings>

/** Seconds. Throws UsageError if usage would vanish between two good updates. */
export function maxAgeOf({ maxAge, updateInterval }: Pick<UsageValues, "maxAge" | "updateInterval">): number {
  if (maxAge === undefined) return Math.max(600, 3 * updateInterval)
  if (maxAge >= updateInterval) return maxAge
  throw new UsageError([{ where: "--max-age", message: `must be at least the update interval, ${updateInterval}s` }])
}
