/**
 * How each cause of the portal's diagnosis is produced. `start()` of one gives a site that fails in this way: an entry of
 * sites.yaml (without `name`) with the files that it names, and what else the stack needs (`limits`, `global`, `spoil`).
 */
import * as bodies from "./bodies.ts"
import * as certificates from "./certificates.ts"
import * as connections from "./connections.ts"
import * as credentials from "./credentials.ts"
import { droppedPackets } from "./deaf.ts"
import type { Fault } from "./fault.ts"
import * as network from "./network.ts"
import * as realProxy from "./real-proxy.ts"
import * as silent from "./silent.ts"
import * as statuses from "./statuses.ts"

/** By the id of the cause. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  name_not_found: { start: network.unknownName },
  address_not_allowed: { start: network.leadsInwards, needsNamespace: true },
  address_dead: { start: network.oneOfTwoAddresses, needsNamespace: true },
  resolver_failed: { start: network.failingNameServer, needsNamespace: true },
  no_route: { start: network.noRoute },
  blocked_locally: { start: network.prohibited, needsNamespace: true },
  refused: { start: connections.refused },
  no_answer: { start: connections.silence },
  hung_up: { start: connections.hangsUp },
  reset: { start: connections.resets },
  cut: { start: realProxy.cut },
  not_http: { start: connections.speaksSsh },
  not_tls: { start: connections.speaksSshNotTls },
  tls_to_plain: { start: connections.tlsToPlain },
  http2: { start: connections.endsHttp2Streams },

  tls_expired: { start: certificates.expired },
  tls_not_yet: { start: certificates.notYetValid },
  tls_unknown_ca: { start: certificates.unknownAuthority },
  tls_wrong_name: { start: certificates.otherNames },
  tls_usage: { start: certificates.forClientsOnly },
  tls_version: { start: certificates.oldVersionOnly },
  tls_client_cert: { start: certificates.wantsClientCertificate },
  tls_client_cert_refused: { start: certificates.refusesClientCertificate },
  tls_refused: { start: certificates.refusesHandshake },

  portal_file: { start: credentials.missingToken },
  portal_token_bad: { start: credentials.tokenOfTwoLines },
  not_scraped: { start: credentials.missingAuthority },
  forward_proxy: { start: credentials.forwardProxyRefuses },
  forward_proxy_auth: { start: credentials.forwardProxyWantsCredentials },
  token_endpoint: { start: credentials.unknownClient },
  token_endpoint_hangs: { start: credentials.tokenServerHangs },

  unauthorized: { start: realProxy.unauthorized },
  forbidden: { start: realProxy.forbidden },
  rate_limited: { start: realProxy.rateLimited },
  upstream_down: { start: realProxy.upstreamDown },
  redirect: { start: statuses.redirects },
  bad_request: { start: statuses.badRequest },
  not_found: { start: statuses.notFound },
  too_large_url: { start: statuses.tooLongUrl },
  server_error: { start: statuses.serverError },
  wrong_server: { start: statuses.wrongServer },

  not_metrics: { start: bodies.loginPage },
  no_type: { start: bodies.badType, versions: ["3.5"] },
  broken_encoding: { start: bodies.badGzip },
  broken: { start: bodies.noValue },
  bad_labels: { start: bodies.labelTwice },
  too_many_bytes: { start: bodies.tooManyBytes },
  too_many_series: { start: bodies.tooManySeries },
  label_limit: { start: bodies.labelTooLong, versions: ["2.53", "3.5"] },

  other: { start: bodies.longTrailer },
  prometheus_alone: { start: silent.hatesPrometheus },

  silent_empty: { start: silent.nothing },
  silent_dropped: { start: silent.allDropped },
  silent_clock: { start: silent.anHourAhead },
  silent_stale: { start: silent.twoHoursOld },
  silent_duplicate: { start: silent.duplicates },
  label_clash: { start: silent.otherSitesLabels },
  certificate_expires: { start: certificates.expiresSoon },
  token_expires: { start: silent.tokenEndsSoon },
  nearly_too_slow: { start: silent.slow },
  one_scrape_failed: { start: silent.failsNowAndThen },
  waiting: { start: silent.rarelyScraped },
}

/** Other ways to the same: by a name of their own, with the cause that they produce. */
export const VARIANTS: Readonly<Record<string, Fault & { readonly cause: string }>> = {
  refusing_name_server: { cause: "resolver_failed", start: network.refusingNameServer, needsNamespace: true },
  silent_name_server: { cause: "resolver_failed", start: network.silentNameServer, needsNamespace: true },
  name_without_address: { cause: "name_not_found", start: network.nameWithoutAddress, needsNamespace: true },
  unreachable_host: { cause: "no_route", start: network.unreachableHost, needsNamespace: true },
  no_ipv6: { cause: "no_route", start: network.noIpv6, needsNamespace: true },
  dropped_packets: { cause: "no_answer", start: droppedPackets },
  silence_in_tls: { cause: "no_answer", start: connections.silenceInTls },
  drips: { cause: "no_answer", start: connections.drips },
  plain_to_tls: { cause: "hung_up", start: connections.plainToTls },
  resets_in_tls: { cause: "reset", start: connections.resetsInTls },
  resets_in_body: { cause: "reset", start: connections.resetsInBody },
  breaks_off: { cause: "cut", start: connections.breaksOff },
  forward_proxy_deviates: { cause: "forward_proxy", start: credentials.forwardProxyDeviates },
  cut_gzip: { cause: "cut", start: bodies.cutGzip },
  bad_status_line: { cause: "not_http", start: connections.badStatusLine },
  two_lengths: { cause: "not_http", start: connections.twoLengths },
  http2_only: { cause: "http2", start: connections.http2Only },
  other_server_name: { cause: "tls_wrong_name", start: certificates.otherServerName },
  without_address: { cause: "tls_wrong_name", start: certificates.withoutAddress },
  common_name_only: { cause: "tls_wrong_name", start: certificates.commonNameOnly },
  client_certificate_in_tls12: { cause: "tls_refused", start: certificates.wantsClientCertificateInTls12 },
  client_certificate_closes: { cause: "tls_client_cert_refused", start: certificates.closesOnClientCertificate },
  token_server_in_html: { cause: "token_endpoint", start: credentials.tokenServerInHtml },
  token_server_without_token: { cause: "token_endpoint", start: credentials.tokenServerWithoutToken },
  redirects_inwards: { cause: "redirect", start: statuses.redirectsInwards },
  client_closed: { cause: "server_error", start: statuses.nginxClientClosed },
  gateway_timeout: { cause: "upstream_down", start: statuses.gatewayTimeout },
  no_content: { cause: "wrong_server", start: statuses.noContent },
  cloud_edge: { cause: "wrong_server", start: statuses.cloudEdge },
  login_page_as_metrics: { cause: "not_metrics", start: bodies.loginPageAsMetrics },
  json: { cause: "not_metrics", start: bodies.json },
  deflate: { cause: "broken_encoding", start: bodies.deflate },
  decimal_comma: { cause: "broken", start: bodies.decimalComma },
  dash_in_name: { cause: "broken", start: bodies.dashInName },
  bad_utf8: { cause: "broken", start: bodies.badUtf8 },
  open_metrics_without_end: { cause: "broken", start: bodies.openMetricsWithoutEnd },
}
