import type { Kind } from "../kind.ts"
import { authPolicy } from "./auth-policy.ts"
import { backendLBPolicy } from "./backend-lb-policy.ts"
import { backendTLSPolicy } from "./backend-tls-policy.ts"
import { dnsHealthCheckProbe } from "./dns-health-check-probe.ts"
import { dnsPolicy } from "./dns-policy.ts"
import { dnsRecord } from "./dns-record.ts"
import { gatewayClass } from "./gateway-class.ts"
import { gateway } from "./gateway.ts"
import { grpcRoute } from "./grpc-route.ts"
import { httpRoute } from "./http-route.ts"
import { inferencePool } from "./inference-pool.ts"
import { listenerSet } from "./listener-set.ts"
import { oidcPolicy } from "./oidc-policy.ts"
import { planPolicy } from "./plan-policy.ts"
import { rateLimitPolicy } from "./rate-limit-policy.ts"
import { tcpRoute } from "./tcp-route.ts"
import { telemetryPolicy } from "./telemetry-policy.ts"
import { threatPolicy } from "./threat-policy.ts"
import { tlsPolicy } from "./tls-policy.ts"
import { tlsRoute } from "./tls-route.ts"
import { tokenRateLimitPolicy } from "./token-rate-limit-policy.ts"
import { udpRoute } from "./udp-route.ts"
import { xBackendTrafficPolicy } from "./x-backend-traffic-policy.ts"
import { xBackend } from "./x-backend.ts"
import { xListenerSet } from "./x-listener-set.ts"
import { xMesh } from "./x-mesh.ts"

/** In the order in which they are exported. */
export const KINDS: readonly Kind[] = [
  gatewayClass,
  gateway,
  listenerSet,
  xListenerSet,
  httpRoute,
  grpcRoute,
  tlsRoute,
  tcpRoute,
  udpRoute,
  backendTLSPolicy,
  backendLBPolicy,
  xBackendTrafficPolicy,
  xBackend,
  xMesh,
  inferencePool,
  authPolicy,
  rateLimitPolicy,
  tokenRateLimitPolicy,
  tlsPolicy,
  dnsPolicy,
  oidcPolicy,
  planPolicy,
  telemetryPolicy,
  threatPolicy,
  dnsRecord,
  dnsHealthCheckProbe,
]
