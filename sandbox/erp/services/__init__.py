"""The services of the ERP, drawn once: names, types, navigations as the vendor's metadata has."""

from sandbox.erp.services.billing import BILLING
from sandbox.erp.services.deliveries import DELIVERIES
from sandbox.erp.services.partners import PARTNERS
from sandbox.erp.services.sales_orders import SALES_ORDERS
from sandbox.erp.services.sales_orders_v4 import SALES_ORDERS_V4

V2 = (SALES_ORDERS, DELIVERIES, BILLING, PARTNERS)
V4 = (SALES_ORDERS_V4,)
EVERY = (*V2, *V4)

__all__ = [
    "BILLING",
    "DELIVERIES",
    "EVERY",
    "PARTNERS",
    "SALES_ORDERS",
    "SALES_ORDERS_V4",
    "V2",
    "V4",
]
