/** The commands of all exporters, each loaded only when it is used. */
export const exporters = {
  "exporter project-usage": {
    summary: "OpenStack project usage as metrics",
    load: () => import("./project-usage/main.ts"),
  },
  "exporter opa-data": {
    summary: "what the replicas of an Open Policy Agent hold, and whether they agree",
    load: () => import("./opa-data/main.ts"),
  },
}
