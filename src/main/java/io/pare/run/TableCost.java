package io.pare.run;

import io.pare.compress.LayerRow;
import io.pare.compress.constraint.Cost;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.util.Map;

/**
 * What a network costs by a {@link CostTable}: the time or the energy of one prediction.
 *
 * @param model layers of the network
 * @param table what they cost
 */
public record TableCost(Net model, CostTable table) implements Cost {
    /**
     * Checks that they fit.
     *
     * @throws RunException if the table has a layer that the network has not
     */
    public TableCost {
        table.check(model);
    }

    @Override
    public String unit() {
        return table.of().unit();
    }

    /** Where rows have a price, weights whose outputs nothing reads cost nothing: the engine leaves them out. */
    @Override
    public double of(Map<String, FloatTensor> tensors) {
        Map<String, LiveRows> live = LiveRows.of(CompressedWeights.of(model, tensors, InputScale.UNIT));
        return rest() + model.parameters().stream().filter(Parameter::weight).mapToDouble(weight -> {
            LayerRow row = LayerRow.of(weight.name(), tensors.get(weight.name()));
            LiveRows read = live.get(weight.name());
            return read == null || !table.rows().containsKey(weight.name())
                    ? of(weight.name(), row.total(), row.kept(), row.bits())
                    : of(weight.name(), row.total(), read.kept(), row.bits(), read.rows());
        }).sum();
    }

    /** A network without zeros has all rows, and one of few weights has a row for each at most. */
    @Override
    public double of(String tensor, long elements, long kept, int bits) {
        long rows = model.parameters().stream().filter(each -> each.name().equals(tensor))
                .mapToLong(each -> each.shape()[0]).sum();
        return of(tensor, elements, kept, bits, Math.min(rows, kept));
    }

    private double of(String tensor, long elements, long kept, int bits, long rows) {
        double all = table.at(tensor, kept) + table.rows().getOrDefault(tensor, 0.0) * rows
                + table.perBit() * kept * bits;
        return table.perMultiplyAdd() == 0
                ? all
                : all + table.perMultiplyAdd() * new MultiplyAdds(model).of(tensor, elements, kept, bits);
    }

    @Override
    public double rest() {
        return table.rest();
    }
}
