import { info } from "../family.ts"

export const hostnames = info("hostname_info", "Host names that the route is for.", "spec.hostnames", { hostname: "" })
