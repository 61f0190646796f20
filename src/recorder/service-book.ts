// Knows the services: which operation a passing call is, what it asked and got, and what of that must not be kept.
// The parts lie in service/; the tables, made from the vendor's models, in generated/.
import type { PassingHead, ServiceBook, UnderstoodHead } from "./contract.ts";
import { KnownServices } from "./service/known-services.ts";
import { S3Call } from "./service/s3-call.ts";
import { ServiceCall } from "./service/service-call.ts";

export function createServiceBook(): ServiceBook {
  const services = new KnownServices();
  return {
    async understand(head: PassingHead): Promise<UnderstoodHead> {
      const known = await services.of(head);
      const [first] = known;
      if (first?.table.row.name === "s3") return new S3Call(head, first.table.row, first.findS3);
      return new ServiceCall(head, known);
    },
  };
}
