"""A refusal on its way out: one exception, in the vendor's JSON, XML or V4 JSON."""

from __future__ import annotations

import json
from datetime import datetime
from xml.sax.saxutils import escape

# The framework's own code for a request that it cannot read; other codes are message class/number.
BAD_REQUEST = "005056A509B11EE1B9A8FEC11C21578E"
NO_SEGMENT = "005056A509B11EE1B9A8FEC11C21D78E"

_NOTE = "See SAP Note 1797736 for error analysis"
_XML = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"


class ODataError(Exception):
    """What the service refuses: HTTP status, the vendor's code, and a sentence."""

    def __init__(self, status: int, code: str, message: str, target: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target


def unreadable(message: str) -> ODataError:
    return ODataError(400, BAD_REQUEST, message)


def unknown_property(name: str, type_name: str) -> ODataError:
    return ODataError(400, BAD_REQUEST, f"Property {name} not found in type '{type_name}'", name)


def unknown_segment(name: str) -> ODataError:
    return ODataError(404, NO_SEGMENT, f"Resource not found for the segment '{name}'.")


def no_entity(type_name: str) -> ODataError:
    return ODataError(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{type_name}'")


def not_addressable(name: str) -> ODataError:
    text = f"Method '{name.upper()}_GET_ENTITYSET' not implemented in data provider class"
    return ODataError(501, "/IWBEP/CM_MGW_RT/021", text)


def v2_json(error: ODataError, service_id: str, now: datetime) -> bytes:
    """The JSON of V2: the message is an object, and the last detail repeats the exception class."""
    detail = {
        "code": error.code,
        "message": error.message,
        "propertyref": error.target,
        "severity": "error",
        "transition": False,
        "target": error.target,
    }
    again = {**detail, "code": "/IWBEP/CX_MGW_BUSI_EXCEPTION", "propertyref": "", "target": ""}
    inner = {
        "application": {
            "component_id": "SD-SLS-API",
            "service_namespace": "/SAP/",
            "service_id": service_id,
            "service_version": "0001",
        },
        "transactionid": _transaction(error, now),
        "timestamp": f"{now:%Y%m%d%H%M%S}.0000000",
        "Error_Resolution": {"SAP_Transaction": "", "SAP_Note": _NOTE},
        "errordetails": [detail, again],
    }
    body = {
        "error": {
            "code": error.code,
            "message": {"lang": "en", "value": error.message},
            "innererror": inner,
        }
    }
    return json.dumps(body, ensure_ascii=False).encode()


def v2_xml(error: ODataError, now: datetime) -> bytes:
    """What those get who did not ask for JSON."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<error xmlns="{_XML}"><code>{escape(error.code)}</code>'
        f'<message xml:lang="en">{escape(error.message)}</message><innererror>'
        f"<transactionid>{_transaction(error, now)}</transactionid>"
        f"<timestamp>{now:%Y%m%d%H%M%S}.0000000</timestamp></innererror></error>"
    ).encode()


def v4_json(error: ODataError, now: datetime) -> bytes:
    """The JSON of V4: the message is a text."""
    detail = {
        "code": error.code,
        "message": error.message,
        "target": error.target,
        "@SAP__common.numericSeverity": 4,
    }
    category = "Client_Error" if error.status < 500 else "Server_Error"
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "target": error.target,
            "@SAP__common.ExceptionCategory": category,
            "innererror": {
                "ErrorDetails": {
                    "@SAP__common.Application": {
                        "ComponentId": "SD-SLS-API",
                        "ServiceRepository": "SRVD_A2X",
                        "ServiceId": "API_SALESORDER",
                        "ServiceVersion": "0001",
                    },
                    "@SAP__common.TransactionId": _transaction(error, now),
                    "@SAP__common.Timestamp": f"{now:%Y%m%d%H%M%S}.0000000",
                }
            },
            "details": [detail],
        }
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _transaction(error: ODataError, now: datetime) -> str:
    digits = f"{int(now.timestamp()):012X}{sum(error.message.encode()):08X}"
    return digits.ljust(32, "0")
