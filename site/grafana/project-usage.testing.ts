/** Panels that an invented cloud has nothing for: they are about requests to OpenStack. */
export const NEEDS_OPENSTACK =
  /^panel (?:Requests by outcome|Updates that failed, by reason|Lead of the cloud's clock) /
