import type { CauseId } from "../causes/index.ts"

/** The cause of a response that holds no series; `undefined`: it may. */
export function causeOfStatus(status: number): CauseId | undefined {
  if (status === 200) return undefined
  if (status >= 300 && status < 400) return "redirect"
  const known = BY_STATUS[status]
  if (known !== undefined) return known
  return status >= 500 && status < 520 ? "server_error" : "wrong_server"
}

const BY_STATUS: Readonly<Record<number, CauseId>> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  410: "not_found",
  422: "bad_request",
  407: "forward_proxy_auth",
  413: "too_large_url",
  414: "too_large_url",
  429: "rate_limited",
  431: "too_large_url",
  499: "server_error",
  501: "wrong_server",
  502: "upstream_down",
  503: "upstream_down",
  504: "upstream_down",
  505: "wrong_server",
  511: "wrong_server",
}
