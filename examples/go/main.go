// A tour of Drawdown: grant, hold, settle, balance, history, and a refusal with its reason.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	drawdown "example.com/drawdown-tour/gen/drawdown/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func main() {
	if err := tour(); err != nil {
		log.Fatal(err)
	}
}

func tour() error {
	retries, err := os.ReadFile("../retry-service-config.json")
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(os.Getenv("DRAWDOWN_ADDRESS"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(string(retries)))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("DRAWDOWN_KEY"))

	// Every call that changes something has a request id: sent again, it gets the first answer.
	run := fmt.Sprintf("go-%d", time.Now().UnixNano())
	customers := drawdown.NewCustomerServiceClient(connection)
	grants := drawdown.NewCreditGrantServiceClient(connection)
	charges := drawdown.NewChargeServiceClient(connection)

	customer, err := customers.CreateCustomer(ctx, &drawdown.CreateCustomerRequest{
		RequestId: run, Key: run, Name: "Tour in Go",
	})
	if err != nil {
		return err
	}
	id := customer.Customer.Id

	grant, err := grants.CreateCreditGrant(ctx, &drawdown.CreateCreditGrantRequest{
		RequestId: "grant", CustomerId: id, Currency: "USD", Amount: "25",
		FundingMethod: drawdown.FundingMethod_FUNDING_METHOD_PROMOTIONAL,
	})
	if err != nil {
		return err
	}
	fmt.Printf("granted %s USD\n", grant.CreditGrant.Amount)

	hold, err := charges.CreateCharge(ctx, &drawdown.CreateChargeRequest{
		RequestId: "hold", CustomerId: id, Currency: "USD", Amount: "10",
		SettlementMode: drawdown.SettlementMode_SETTLEMENT_MODE_CREDIT_ONLY,
		Capture:        drawdown.Capture_CAPTURE_MANUAL,
	})
	if err != nil {
		return err
	}
	if err := printBalance(ctx, connection, id, "held "+hold.Charge.CreditsHeld); err != nil {
		return err
	}

	settled, err := charges.SettleCharge(ctx, &drawdown.SettleChargeRequest{
		RequestId: "settle", CustomerId: id, ChargeId: hold.Charge.Id, Amount: "7.5",
	})
	if err != nil {
		return err
	}
	err = printBalance(ctx, connection, id, "settled "+settled.Charge.CreditsApplied)
	if err != nil {
		return err
	}

	if err := printHistory(ctx, connection, id); err != nil {
		return err
	}

	_, err = charges.CreateCharge(ctx, &drawdown.CreateChargeRequest{
		RequestId: "too-much", CustomerId: id, Currency: "USD", Amount: "100",
		SettlementMode: drawdown.SettlementMode_SETTLEMENT_MODE_CREDIT_ONLY,
	})
	return printRefusal(err)
}

func printBalance(ctx context.Context, on grpc.ClientConnInterface, id, what string) error {
	answer, err := drawdown.NewBalanceServiceClient(on).GetBalance(ctx,
		&drawdown.GetBalanceRequest{CustomerId: id, Currency: "USD"})
	if err != nil {
		return err
	}
	balance := answer.Balances[0]
	fmt.Printf("%s: settled %s, pending %s\n", what, balance.Settled, balance.Pending)
	return nil
}

func printHistory(ctx context.Context, on grpc.ClientConnInterface, id string) error {
	stream, err := drawdown.NewHistoryServiceClient(on).StreamMovements(ctx,
		&drawdown.StreamMovementsRequest{
			CustomerId: id, Order: drawdown.MovementOrder_MOVEMENT_ORDER_OLDEST_FIRST,
		})
	if err != nil {
		return err
	}
	for {
		page, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for _, movement := range page.Movements {
			kind := movement.Type.String()[len("MOVEMENT_TYPE_"):]
			fmt.Printf("%s %s, balance %s\n", kind, movement.Amount, movement.BalanceAfter)
		}
	}
}

func printRefusal(err error) error {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			facts := info.Metadata
			fmt.Printf("refused %s: required %s, available %s\n",
				info.Reason, facts["required"], facts["available"])
			return nil
		}
	}
	return fmt.Errorf("expected a refusal with its reason, got %w", err)
}
