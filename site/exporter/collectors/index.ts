/** The commands of all exporters, each loaded only when it is used. */
export const exporters = {
  "exporter project-usage": {
    group: "At a site",
    summary: "Export usage of OpenStack projects as metrics",
    load: async () => (await import("./project-usage/main.ts")).command,
  },
  "exporter opa-data": {
    group: "At a site",
    summary: "Export what OPA replicas hold, and whether they agree",
    load: async () => (await import("./opa-data/main.ts")).command,
  },
  "exporter gateway-api": {
    group: "At a site",
    summary: "Export state and conditions of Gateway API objects",
    load: async () => (await import("./gateway-api/main.ts")).command,
  },
}
