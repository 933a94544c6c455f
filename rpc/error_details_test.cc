#include "rpc/error_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "rpc/grpc_status.h"

namespace weft::rpc {
namespace {

TEST(ErrorDetailsTest, TravelOverGrpcAndBack) {
  const absl::Status status = WithReason(absl::ResourceExhaustedError("the disk is full"),
                                         v1::ERROR_REASON_DISK_FULL, {{"limit", "7"}});
  const grpc::Status sent = ToGrpcStatus(status);
  EXPECT_EQ(sent.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(sent.error_message(), "the disk is full");
  google::rpc::Status message;
  ASSERT_TRUE(message.ParseFromString(sent.error_details()));
  EXPECT_EQ(message.code(), 8);
  EXPECT_EQ(message.message(), "the disk is full");
  ASSERT_EQ(message.details_size(), 2);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(message.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "DISK_FULL");
  EXPECT_EQ(info.domain(), "weft");
  EXPECT_EQ(info.metadata().at("limit"), "7");
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(message.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);

  const absl::Status received = FromGrpcStatus(sent);
  EXPECT_EQ(received, status);
  EXPECT_EQ(ErrorReasonOf(received), v1::ERROR_REASON_DISK_FULL);
  EXPECT_EQ(RetryDelaySeconds(received), 0.5);
}

TEST(ErrorDetailsTest, AWrongFieldIsNamed) {
  const absl::Status status = InvalidField("top_k", "expected 1 to 1000, got -1");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "top_k: expected 1 to 1000, got -1");
  EXPECT_EQ(ErrorReasonOf(status), v1::ERROR_REASON_INVALID_FIELD);
  EXPECT_FALSE(RetryDelaySeconds(status));
  const google::rpc::Status message = ToRpcStatus(status);
  ASSERT_EQ(message.details_size(), 2);
  google::rpc::BadRequest request;
  ASSERT_TRUE(message.details(1).UnpackTo(&request));
  ASSERT_EQ(request.field_violations_size(), 1);
  EXPECT_EQ(request.field_violations(0).field(), "top_k");
  EXPECT_EQ(request.field_violations(0).description(), "expected 1 to 1000, got -1");
}

TEST(ErrorDetailsTest, WhatProgramsCannotActOnHasNone) {
  EXPECT_TRUE(ToGrpcStatus(absl::InternalError("oh")).error_details().empty());
  EXPECT_EQ(ErrorReasonOf(absl::InternalError("oh")), v1::ERROR_REASON_UNSPECIFIED);
}

TEST(ErrorDetailsTest, DetailsThatCannotBeReadLeaveCodeAndMessage) {
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "gone", "not a message"));
  EXPECT_EQ(status, absl::NotFoundError("gone"));
}

}  // namespace
}  // namespace weft::rpc
