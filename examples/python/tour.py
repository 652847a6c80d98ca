"""A tour of Drawdown: grant, hold, settle, balance, history, and a refusal with its reason."""

import os
import time
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from drawdown.v1 import (
    balance_service_pb2,
    balance_service_pb2_grpc,
    charge_pb2,
    charge_service_pb2,
    charge_service_pb2_grpc,
    credit_grant_pb2,
    credit_grant_service_pb2,
    credit_grant_service_pb2_grpc,
    customer_service_pb2,
    customer_service_pb2_grpc,
    history_service_pb2,
    history_service_pb2_grpc,
    movement_pb2,
)

RETRIES = Path(__file__).parent.parent / "retry-service-config.json"


def main() -> None:
    options = [("grpc.service_config", RETRIES.read_text())]
    with grpc.insecure_channel(os.environ["DRAWDOWN_ADDRESS"], options) as channel:
        tour(channel, [("authorization", f"Bearer {os.environ['DRAWDOWN_KEY']}")])


def tour(channel: grpc.Channel, metadata: list[tuple[str, str]]) -> None:
    call = {"metadata": metadata, "timeout": 30}
    # Every call that changes something has a request id: sent again, it gets the first answer.
    run = f"python-{time.time_ns()}"
    customers = customer_service_pb2_grpc.CustomerServiceStub(channel)
    grants = credit_grant_service_pb2_grpc.CreditGrantServiceStub(channel)
    charges = charge_service_pb2_grpc.ChargeServiceStub(channel)
    balances = balance_service_pb2_grpc.BalanceServiceStub(channel)
    history = history_service_pb2_grpc.HistoryServiceStub(channel)

    def print_balance(what: str) -> None:
        request = balance_service_pb2.GetBalanceRequest(customer_id=customer_id, currency="USD")
        balance = balances.GetBalance(request, **call).balances[0]
        print(f"{what}: settled {balance.settled}, pending {balance.pending}")

    customer_id = customers.CreateCustomer(
        customer_service_pb2.CreateCustomerRequest(request_id=run, key=run, name="Tour in Python"),
        **call,
    ).customer.id

    grant = grants.CreateCreditGrant(
        credit_grant_service_pb2.CreateCreditGrantRequest(
            request_id="grant",
            customer_id=customer_id,
            funding_method=credit_grant_pb2.FUNDING_METHOD_PROMOTIONAL,
            currency="USD",
            amount="25",
        ),
        **call,
    ).credit_grant
    print(f"granted {grant.amount} USD")

    charge = {"customer_id": customer_id, "currency": "USD"}
    charge["settlement_mode"] = charge_pb2.SETTLEMENT_MODE_CREDIT_ONLY
    hold = charges.CreateCharge(
        charge_service_pb2.CreateChargeRequest(
            request_id="hold", amount="10", capture=charge_pb2.CAPTURE_MANUAL, **charge
        ),
        **call,
    ).charge
    print_balance(f"held {hold.credits_held}")

    settled = charges.SettleCharge(
        charge_service_pb2.SettleChargeRequest(
            request_id="settle", customer_id=customer_id, charge_id=hold.id, amount="7.5"
        ),
        **call,
    ).charge
    print_balance(f"settled {settled.credits_applied}")

    request = history_service_pb2.StreamMovementsRequest(
        customer_id=customer_id, order=movement_pb2.MOVEMENT_ORDER_OLDEST_FIRST
    )
    for page in history.StreamMovements(request, **call):
        for movement in page.movements:
            kind = movement_pb2.MovementType.Name(movement.type).removeprefix("MOVEMENT_TYPE_")
            print(f"{kind} {movement.amount}, balance {movement.balance_after}")

    try:
        too_much = charge_service_pb2.CreateChargeRequest(
            request_id="too-much", amount="100", **charge
        )
        charges.CreateCharge(too_much, **call)
    except grpc.RpcError as error:
        print_refusal(error)


def print_refusal(error: grpc.RpcError) -> None:
    info = error_details_pb2.ErrorInfo()
    for detail in rpc_status.from_call(error).details:
        if detail.Unpack(info):
            facts = info.metadata
            required, available = facts["required"], facts["available"]
            print(f"refused {info.reason}: required {required}, available {available}")


if __name__ == "__main__":
    main()
