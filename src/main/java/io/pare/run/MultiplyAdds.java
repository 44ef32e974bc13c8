package io.pare.run;

import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.Projector;
import io.pare.mem.FloatTensor;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Multiply-adds of one sample where zeros are skipped: a weight of a convolution counts once for each place of its output.
 *
 * @param model layers of the network
 */
public record MultiplyAdds(Net model) implements Cost {
    @Override
    public String unit() {
        return "multiply-adds";
    }

    /** Multiply-adds of each element of a weight, by the weight's name. */
    private Map<String, Double> each() {
        Map<String, Double> each = new LinkedHashMap<>();
        for (Node node : model.nodes()) {
            List<Parameter> weights = node.parameters().stream().filter(Parameter::weight).toList();
            long all = weights.stream().mapToLong(Parameter::count).sum();
            double share = all == 0 ? 0 : (double) model.multiplyAdds(node) / all;
            weights.forEach(weight -> each.put(weight.name(), share));
        }
        return each;
    }

    @Override
    public double of(Map<String, FloatTensor> tensors) {
        return each().entrySet().stream().filter(weight -> tensors.containsKey(weight.getKey()))
                .mapToDouble(weight -> weight.getValue() * Projector.nonzeros(tensors.get(weight.getKey()))).sum();
    }

    @Override
    public double of(String tensor, long elements, long kept, int bits) {
        return each().getOrDefault(tensor, 0.0) * kept;
    }
}
