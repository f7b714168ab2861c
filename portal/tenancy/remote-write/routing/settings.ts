import {
  inGroup,
  list,
  on,
  oneOf,
  type Parse,
  setting,
  text,
  tracked,
  type Values,
  whole,
  Wrong,
} from "#core/config/settings.ts"
import { kubernetesSettings, namespace } from "#core/kubernetes/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"

const labelName: Parse<string> = (value) =>
  /[\p{Cc}\s"{}=~!]/u.test(value) ? new Wrong("must be names of labels, separated by commas") : value

/** Any tenant that begins with it can be valid. */
const prefix: Parse<string> = (value) => {
  const id = parseTenant(`${value.trim()}x`)
  return id instanceof Wrong ? id : value.trim()
}

/** Which tenants a series belongs to. */
export const tenantSettings = {
  ...inGroup("Tenants of a series", {
    tenantLabelList: tracked(
      list(labelName, { flag: "--tenant-label-list <labels>", help: "Take tenants from these labels, in this order" }, [
        "tenant_id",
      ]),
    ),
    tenantLabelMode: setting(
      oneOf(["all", "first"]),
      {
        flag: "--tenant-label-mode <mode>",
        help: "Send a series to the tenants of all these labels, or of the first that names one: all or first",
      },
      "all",
    ),
    tenantPattern: tracked(
      setting(text, {
        flag: "--tenant-pattern <expression>",
        help: "Take the tenant from the capture in this RE2 expression, such as team-(.+); values that do not match as a whole name none",
      }),
    ),
    tenantPrefix: tracked(
      setting(
        prefix,
        { flag: "--tenant-prefix <text>", help: "Put this before tenants of labels", defaultText: "none" },
        "",
      ),
    ),
    stripTenantLabel: tracked(
      setting(
        on,
        {
          flag: "--strip-tenant-label",
          help: "Leave the label that named a tenant out of what this tenant gets; default tenants keep it",
        },
        "false",
      ),
    ),
    defaultTenantList: tracked(
      list(
        parseTenant,
        {
          flag: "--default-tenant-list <tenants>",
          help: "Send every series to these tenants too; '' is none, and series without a tenant are refused",
        },
        ["0"],
      ),
    ),
    disableFullReplication: setting(
      on,
      {
        flag: "--disable-full-replication",
        help: "Send the default tenants only the series that no label gives a tenant",
      },
      "false",
    ),
    haLabelList: tracked(
      list(
        labelName,
        {
          flag: "--ha-label-list <labels>",
          help: "Keep series that have all of these labels apart from those with other values, in upstream requests of their own: Cortex and Mimir look at the first series of each; '' is none",
        },
        ["cluster", "__replica__"],
      ),
    ),
    maxTenantsPerRequest: setting(
      whole(1, 100_000),
      { flag: "--max-tenants-per-request <number>", help: "Refuse requests that have series for more tenants" },
      "1000",
    ),
  }),
  ...inGroup("Allow list", {
    allowListedTenants: tracked(
      list(
        parseTenant,
        {
          flag: "--allow-listed-tenants <tenants>",
          help: "Accept only these tenants from labels, and those of the other lists",
          defaultText: "every valid one, where no list is set",
        },
        [],
      ),
    ),
    allowListFile: setting(text, {
      flag: "--allow-list-file <file>",
      help: "Accept the tenants in this YAML file, which is read again when it changes",
    }),
    unknownTenants: tracked(
      setting(
        oneOf(["ignore", "refuse"]),
        {
          flag: "--unknown-tenants <action>",
          help: "Treat a label with a tenant outside of the allow list as missing, or refuse the series: ignore or refuse",
        },
        "ignore",
      ),
    ),
  }),
}

/** And where else the allow list comes from. */
export const routingSettings = {
  ...tenantSettings,
  ...inGroup("Allow list", {
    kubernetesPollIntervalSeconds: setting(
      whole(0, 2 ** 32 - 1),
      {
        flag: "--kubernetes-poll-interval-seconds <seconds>",
        help: "Accept the tenants of OpenMetricsRule resources, unless 0; they are watched, so the number does not matter otherwise",
      },
      "0",
    ),
    namespaces: tracked(
      list(
        namespace,
        {
          flag: "--namespace <name>",
          env: ["FEDSTACK_NAMESPACE", "OPEN_METRICS_PROXY_NAMESPACE"],
          help: "Read the resources of this namespace; may be repeated",
        },
        ["default"],
      ),
    ),
    allNamespaces: setting(on, { flag: "--all-namespaces", help: "Read the resources of all namespaces" }, "false"),
    ...kubernetesSettings,
  }),
}

export type TenantValues = Values<typeof tenantSettings>
export type RoutingValues = Values<typeof routingSettings>
