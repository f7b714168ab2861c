import { hostnames } from "../families/hostnames.ts"
import { metadata } from "../families/metadata.ts"
import { parents } from "../families/parents.ts"
import { kind } from "../kind.ts"

export const grpcRoute = kind("GRPCRoute", "grpcroutes", [...metadata, hostnames, ...parents])
