package tour;

import com.google.gson.Gson;
import com.google.rpc.ErrorInfo;
import drawdown.v1.BalanceServiceGrpc;
import drawdown.v1.BalanceServiceOuterClass.GetBalanceRequest;
import drawdown.v1.ChargeOuterClass.Capture;
import drawdown.v1.ChargeOuterClass.SettlementMode;
import drawdown.v1.ChargeServiceGrpc;
import drawdown.v1.ChargeServiceOuterClass.CreateChargeRequest;
import drawdown.v1.ChargeServiceOuterClass.SettleChargeRequest;
import drawdown.v1.CreditGrantOuterClass.FundingMethod;
import drawdown.v1.CreditGrantServiceGrpc;
import drawdown.v1.CreditGrantServiceOuterClass.CreateCreditGrantRequest;
import drawdown.v1.CustomerServiceGrpc;
import drawdown.v1.CustomerServiceOuterClass.CreateCustomerRequest;
import drawdown.v1.HistoryServiceGrpc;
import drawdown.v1.HistoryServiceOuterClass.StreamMovementsRequest;
import drawdown.v1.MovementOuterClass.MovementOrder;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A tour of Drawdown: grant, hold, settle, balance, history, and a refusal with its reason. */
public final class Tour {
  private final Channel channel;
  private final String customerId;

  public static void main(String[] words) throws Exception {
    String retries = Files.readString(Path.of("../retry-service-config.json"));
    ManagedChannel connection =
        Grpc.newChannelBuilder(System.getenv("DRAWDOWN_ADDRESS"), InsecureChannelCredentials.create())
            .defaultServiceConfig(new Gson().<Map<String, ?>>fromJson(retries, Map.class))
            .enableRetry()
            .build();
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
        "Bearer " + System.getenv("DRAWDOWN_KEY"));
    try {
      new Tour(ClientInterceptors.intercept(
          connection, MetadataUtils.newAttachHeadersInterceptor(headers))).take();
    } finally {
      connection.shutdownNow();
    }
  }

  private Tour(Channel channel) {
    this.channel = channel;
    // Every call that changes something has a request id: sent again, it gets the first answer.
    String run = "java-" + System.nanoTime();
    customerId =
        CustomerServiceGrpc.newBlockingStub(channel)
            .createCustomer(CreateCustomerRequest.newBuilder()
                .setRequestId(run).setKey(run).setName("Tour in Java").build())
            .getCustomer().getId();
  }

  private void take() {
    var grant =
        CreditGrantServiceGrpc.newBlockingStub(channel)
            .createCreditGrant(CreateCreditGrantRequest.newBuilder()
                .setRequestId("grant").setCustomerId(customerId)
                .setFundingMethod(FundingMethod.FUNDING_METHOD_PROMOTIONAL)
                .setCurrency("USD").setAmount("25").build())
            .getCreditGrant();
    System.out.printf("granted %s USD%n", grant.getAmount());

    var charges = ChargeServiceGrpc.newBlockingStub(channel);
    var hold =
        charges.createCharge(charge("hold", "10").setCapture(Capture.CAPTURE_MANUAL).build())
            .getCharge();
    printBalance("held " + hold.getCreditsHeld());

    var settled =
        charges.settleCharge(SettleChargeRequest.newBuilder()
                .setRequestId("settle").setCustomerId(customerId).setChargeId(hold.getId())
                .setAmount("7.5").build())
            .getCharge();
    printBalance("settled " + settled.getCreditsApplied());

    printHistory();

    try {
      charges.createCharge(charge("too-much", "100").build());
    } catch (StatusRuntimeException refused) {
      printRefusal(refused);
    }
  }

  private CreateChargeRequest.Builder charge(String requestId, String amount) {
    return CreateChargeRequest.newBuilder()
        .setRequestId(requestId).setCustomerId(customerId).setCurrency("USD").setAmount(amount)
        .setSettlementMode(SettlementMode.SETTLEMENT_MODE_CREDIT_ONLY);
  }

  private void printBalance(String what) {
    var balance =
        BalanceServiceGrpc.newBlockingStub(channel)
            .getBalance(GetBalanceRequest.newBuilder()
                .setCustomerId(customerId).setCurrency("USD").build())
            .getBalances(0);
    System.out.printf(
        "%s: settled %s, pending %s%n", what, balance.getSettled(), balance.getPending());
  }

  private void printHistory() {
    var pages =
        HistoryServiceGrpc.newBlockingStub(channel)
            .streamMovements(StreamMovementsRequest.newBuilder()
                .setCustomerId(customerId)
                .setOrder(MovementOrder.MOVEMENT_ORDER_OLDEST_FIRST).build());
    pages.forEachRemaining(page -> {
      for (var movement : page.getMovementsList()) {
        String kind = movement.getType().name().substring("MOVEMENT_TYPE_".length());
        System.out.printf(
            "%s %s, balance %s%n", kind, movement.getAmount(), movement.getBalanceAfter());
      }
    });
  }

  private static void printRefusal(StatusRuntimeException refused) {
    try {
      for (var detail : StatusProto.fromThrowable(refused).getDetailsList()) {
        if (!detail.is(ErrorInfo.class)) continue;
        var info = detail.unpack(ErrorInfo.class);
        Map<String, String> facts = info.getMetadataMap();
        System.out.printf(
            "refused %s: required %s, available %s%n",
            info.getReason(), facts.get("required"), facts.get("available"));
      }
    } catch (com.google.protobuf.InvalidProtocolBufferException unreadable) {
      throw new IllegalStateException("the details cannot be read", unreadable);
    }
  }
}
