import {
  duration,
  inGroup,
  on,
  type Parse,
  partsOf,
  setting,
  settings,
  tracked,
  type Values,
  Wrong,
} from "#core/config/settings.ts"
import { kubernetesSettings } from "#core/kubernetes/settings.ts"

const list: Parse<readonly string[]> = (value) => partsOf(value)

const shard: Parse<{ readonly index: number; readonly of: number }> = (value) => {
  const [, index = "", of = ""] = /^(\d+)\/(\d+)$/.exec(value.trim()) ?? []
  const parsed = { index: Number(index), of: Number(of) }
  return of !== "" && parsed.index < parsed.of ? parsed : new Wrong("must be i/n with i from 0 to n-1, such as 0/2")
}

export const gatewayApiSettings = {
  ...inGroup("What is exported", {
    kinds: tracked(
      settings(
        list,
        {
          flag: "--kinds <kinds>",
          help: "Export only these kinds, such as Gateway,HTTPRoute; may be repeated",
          defaultText: "all that are installed",
        },
        [],
      ),
    ),
    families: tracked(
      settings(
        list,
        {
          flag: "--families <names>",
          help: "Export only these metric families; * stands for any text, a leading - leaves out; may be repeated",
          defaultText: "all",
        },
        [],
      ),
    ),
    conditionReasons: setting(
      on,
      { flag: "--condition-reasons", help: "Export status and reason of each condition as well: a series for each" },
      "false",
    ),
    labelsAllowlist: settings(
      list,
      {
        flag: "--labels-allowlist <keys>",
        help: "Export only these Kubernetes labels, by their keys; * stands for any text; may be repeated",
        defaultText: "all",
      },
      [],
    ),
    namespaces: tracked(
      settings(
        list,
        {
          flag: "--namespaces <names>",
          help: "Read only these namespaces, each by a request of its own; may be repeated",
          defaultText: "all",
        },
        [],
      ),
    ),
    versionOverride: tracked(
      settings(
        list,
        {
          flag: "--customresource-version-override <kind=version>",
          help: "Set the label customresource_version of a kind, such as HTTPRoute=v1beta1 for dashboards that expect it",
          defaultText: "the version that is read",
        },
        [],
      ),
    ),
  }),
  ...inGroup("Kubernetes", {
    ...kubernetesSettings,
    watch: setting(
      on,
      { flag: "--kubernetes.watch", help: "Follow changes rather than list everything at each scrape" },
      "false",
    ),
    timeout: setting(
      duration(0.1, 300),
      {
        flag: "--kubernetes.timeout <duration>",
        help: "End the requests of a scrape after this time; below Prometheus' scrape_timeout",
      },
      "8s",
    ),
    shard: setting(
      shard,
      {
        flag: "--shard <i/n>",
        help: "Export only the objects of the i-th of n replicas, counted from 0",
        defaultText: "0/1",
      },
      "0/1",
    ),
  }),
}

export type GatewayApiValues = Values<typeof gatewayApiSettings>
