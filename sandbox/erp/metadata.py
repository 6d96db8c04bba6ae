"""`$metadata`: the model as EDMX, for V2 with the vendor's annotations and for V4."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from sandbox.erp.model import EntitySet, Kind, Navigation, Property, Service

_V2_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"'
    ' xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    ' xmlns:sap="http://www.sap.com/Protocols/SAPData">'
    '<edmx:DataServices m:DataServiceVersion="2.0">'
    '<Schema Namespace={namespace} xml:lang="en" sap:schema-version="1"'
    ' xmlns="http://schemas.microsoft.com/ado/2008/09/edm">'
)
_V4_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    "<edmx:DataServices>"
    '<Schema Namespace={namespace} Alias="SAP__self" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
_TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"
_V4_NAMES = {Kind.DATE: "Date", Kind.TIME: "TimeOfDay"}
_HIDDEN = ' sap:creatable="false" sap:updatable="false" sap:deletable="false"'


def metadata_v2(service: Service) -> bytes:
    """What a client of V2 learns the service from."""
    sets = service.sets.values()
    parts = [_V2_HEAD.format(namespace=quoteattr(service.namespace))]
    parts += [_type_v2(one, service) for one in sets]
    steps = [(one, step) for one in sets for step in one.navigations.values()]
    parts += [_association(one, step, service) for one, step in steps]
    container = quoteattr(f"{service.namespace}_Entities")
    parts.append(f'<EntityContainer Name={container} m:IsDefaultEntityContainer="true">')
    parts += [_set_v2(one, service) for one in sets]
    parts += [_association_set(one, step, service) for one, step in steps]
    return "".join([*parts, "</EntityContainer>", _TAIL]).encode()


def _type_v2(entity: EntitySet, service: Service) -> str:
    keys = "".join(f'<PropertyRef Name="{key}"/>' for key in entity.keys)
    shown = "".join(_property_v2(one, entity) for one in entity.properties.values())
    steps = "".join(
        f'<NavigationProperty Name="{step.name}"'
        f' Relationship="{service.namespace}.{_link(entity, step)}"'
        f' FromRole="FromRole_{_link(entity, step)}" ToRole="ToRole_{_link(entity, step)}"/>'
        for step in entity.navigations.values()
    )
    return (
        f'<EntityType Name="{entity.type_name}" sap:content-version="1">'
        f"<Key>{keys}</Key>{shown}{steps}</EntityType>"
    )


def _property_v2(one: Property, entity: EntitySet) -> str:
    said = [f'Name="{one.name}"', f'Type="Edm.{one.kind}"']
    if one.name in entity.keys:
        said.append('Nullable="false"')
    if one.kind is Kind.TEXT:
        said.append(f'MaxLength="{one.length}"')
    elif one.kind is Kind.DECIMAL:
        said.append(f'Precision="{one.precision}" Scale="3"')
    elif one.kind in (Kind.DATE, Kind.TIME):
        said.append(
            'Precision="0"' + (' sap:display-format="Date"' if one.kind is Kind.DATE else "")
        )
    elif one.kind is Kind.INSTANT:
        said.append('Precision="7"')
    if one.name == entity.etag:
        said.append('ConcurrencyMode="Fixed"')
    if one.unit:
        said.append(f'sap:unit="{one.unit}"')
    if not one.filterable:
        said.append('sap:filterable="false"')
    if not one.sortable:
        said.append('sap:sortable="false"')
    return f"<Property {' '.join(said)}/>"


def _link(entity: EntitySet, step: Navigation) -> str:
    return f"assoc_{entity.name}_{step.name}"


def _association(entity: EntitySet, step: Navigation, service: Service) -> str:
    name = _link(entity, step)
    target = service.sets[step.target].type_name
    return (
        f'<Association Name="{name}" sap:content-version="1">'
        f'<End Type="{service.namespace}.{entity.type_name}" Multiplicity="1"'
        f' Role="FromRole_{name}"/>'
        f'<End Type="{service.namespace}.{target}" Multiplicity="{"*" if step.many else "0..1"}"'
        f' Role="ToRole_{name}"/></Association>'
    )


def _association_set(entity: EntitySet, step: Navigation, service: Service) -> str:
    name = _link(entity, step)
    return (
        f'<AssociationSet Name="{name}_Set" Association="{service.namespace}.{name}"{_HIDDEN}>'
        f'<End EntitySet="{entity.name}" Role="FromRole_{name}"/>'
        f'<End EntitySet="{step.target}" Role="ToRole_{name}"/></AssociationSet>'
    )


def _set_v2(entity: EntitySet, service: Service) -> str:
    hidden = "" if entity.addressable else ' sap:addressable="false"'
    return (
        f'<EntitySet Name="{entity.name}" EntityType="{service.namespace}.{entity.type_name}"'
        f'{_HIDDEN}{hidden} sap:content-version="1"/>'
    )


def metadata_v4(service: Service) -> bytes:
    """What a client of V4 learns the service from."""
    sets = service.sets.values()
    parts = [_V4_HEAD.format(namespace=quoteattr(service.namespace))]
    parts += [_type_v4(one, service) for one in sets]
    parts.append('<EntityContainer Name="Container">')
    for one in sets:
        steps = "".join(
            f'<NavigationPropertyBinding Path="{step.name}" Target="{step.target}"/>'
            for step in one.navigations.values()
        )
        kind = f"{service.namespace}.{one.type_name}"
        parts.append(f'<EntitySet Name="{one.name}" EntityType="{kind}">{steps}</EntitySet>')
    return "".join([*parts, "</EntityContainer>", _TAIL]).encode()


def _type_v4(entity: EntitySet, service: Service) -> str:
    keys = "".join(f'<PropertyRef Name="{key}"/>' for key in entity.keys)
    shown = "".join(_property_v4(one) for one in entity.properties.values())
    steps = []
    for step in entity.navigations.values():
        kind = f"{service.namespace}.{service.sets[step.target].type_name}"
        named = f"Collection({kind})" if step.many else kind
        steps.append(f'<NavigationProperty Name="{step.name}" Type="{named}"/>')
    return (
        f'<EntityType Name="{entity.type_name}"><Key>{keys}</Key>{shown}{"".join(steps)}'
        "</EntityType>"
    )


def _property_v4(one: Property) -> str:
    said = [f'Name="{one.name}"', f'Type="Edm.{_V4_NAMES.get(one.kind, one.kind.value)}"']
    if one.kind not in (Kind.DATE, Kind.INSTANT):
        said.append('Nullable="false"')
    if one.kind is Kind.TEXT:
        said.append(f'MaxLength="{one.length}"')
    elif one.kind is Kind.DECIMAL:
        scale = "variable" if one.unit == "TransactionCurrency" else "3"
        said.append(f'Precision="{one.precision}" Scale="{scale}"')
    elif one.kind is Kind.INSTANT:
        said.append('Precision="7"')
    return f"<Property {' '.join(said)}/>"
