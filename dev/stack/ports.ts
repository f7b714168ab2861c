/** The ports that people use, the same at every start. Everything else listens on whatever port is free. */
export const PORTAL_PORT = 17_000
export const PORTAL_PROMETHEUS_PORT = 17_001
/** The first site's proxy; the next site has the next port. */
export const FIRST_PROXY_PORT = 17_101
/** Lets the system choose a free one. */
export const FREE = 0
