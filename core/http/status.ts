/** For a label of a metric: what a status that was not wanted means. */
export function statusReason(status: number) {
  if (status === 401) return "unauthorized"
  if (status === 403) return "forbidden"
  if (status === 404) return "not_found"
  if (status === 429) return "rate_limited"
  if (status >= 500) return "server_error"
  if (status >= 400) return "bad_request"
  return status >= 300 ? "redirect" : "unexpected_response"
}

export type StatusReason = ReturnType<typeof statusReason>
