package io.pare.run;

import io.pare.compress.LayerRow;
import io.pare.compress.constraint.Cost;
import io.pare.mem.FloatTensor;
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

    @Override
    public double of(Map<String, FloatTensor> tensors) {
        return rest() + model.parameters().stream().filter(Parameter::weight)
                .filter(weight -> tensors.containsKey(weight.name()))
                .map(weight -> LayerRow.of(weight.name(), tensors.get(weight.name())))
                .mapToDouble(row -> row.of(this)).sum();
    }

    @Override
    public double of(String tensor, long elements, long kept, int bits) {
        double all = table.at(tensor, kept) + table.perBit() * kept * bits;
        return table.perMultiplyAdd() == 0
                ? all
                : all + table.perMultiplyAdd() * new MultiplyAdds(model).of(tensor, elements, kept, bits);
    }

    @Override
    public double rest() {
        return table.rest();
    }
}
