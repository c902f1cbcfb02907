"""The answer of `GET …/sobjects/{object}/describe`: what an object's fields are and allow."""

from typing import Any

from sandbox.salesforce.schema import Field, SObject

_SOAP_TYPE = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "double": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}


def describe(sobject: SObject, version: str) -> dict[str, Any]:
    """Everything that a client needs to read and write the object, in the shape of the REST API."""
    path = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": f"{sobject.label}s",
        "keyPrefix": sobject.key_prefix,
        "custom": False,
        "createable": sobject.createable,
        "updateable": sobject.createable,
        "deletable": False,
        "undeletable": False,
        "queryable": True,
        "retrieveable": True,
        "searchable": True,
        "mergeable": False,
        "triggerable": sobject.createable,
        "fields": [_field(each) for each in sobject.fields],
        "childRelationships": [],
        "recordTypeInfos": [],
        "urls": {"sobject": path, "describe": f"{path}/describe", "rowTemplate": f"{path}/{{ID}}"},
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": _SOAP_TYPE.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * 3,
        "precision": 18 if field.type == "double" else 0,
        "scale": 0,
        "digits": 0,
        "nillable": field.nillable,
        "createable": field.createable,
        "updateable": field.updateable,
        "custom": field.custom,
        "unique": field.unique,
        "calculated": field.calculated,
        "autoNumber": False,
        "caseSensitive": False,
        "defaultValue": False if field.type == "boolean" else None,
        "defaultedOnCreate": field.defaulted or field.type == "boolean" or not field.createable,
        "filterable": True,
        "groupable": field.type not in {"double", "datetime"},
        "sortable": True,
        "idLookup": field.name in {"Id", "Username"},
        "nameField": field.name == "Name",
        "picklistValues": [],
        "restrictedPicklist": False,
        "referenceTo": [field.reference_to] if field.reference_to else [],
        "relationshipName": field.relationship,
    }
