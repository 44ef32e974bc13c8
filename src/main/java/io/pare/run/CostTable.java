package io.pare.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.pare.compress.constraint.Budget.Quantity;
import io.pare.file.AtomicFile;
import io.pare.file.Jackson;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A table of what layers cost, measured by Pare or brought by a user: the time or the energy of one prediction.
 *
 * <p>A network costs {@code rest}, what each layer's curve says of the weights that it keeps, {@code rows} for each output that
 * a later layer reads, {@code perMultiplyAdd} for each multiply-add whose weight is not zero, and {@code perBit} for each bit of
 * such a weight. Where {@code rows} has a price, weights of outputs that nothing reads cost nothing. What is left out is 0.
 * The JSON form has the names of the components.
 *
 * @param quantity {@code latency}, in microseconds, or {@code energy}, in microjoules
 * @param network that was measured; left out where the table fits any
 * @param reference microseconds of the network with which the measured one took turns; 0 where nobody measured
 * @param rest what layers without weights cost
 * @param perMultiplyAdd what a multiply-add costs
 * @param perBit what a bit of a weight costs that is not zero
 * @param layers by weight, such as {@code fc1.weight}: pairs of weights kept and what the layer then costs
 * @param rows by weight: what each of its rows costs on top, if anything reads that output
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public record CostTable(String quantity, @Nullable String network, double reference, double rest,
        double perMultiplyAdd, double perBit, Map<String, List<List<Double>>> layers,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, Double> rows) {

    /**
     * Copies the curves, each ascending.
     *
     * @throws IllegalArgumentException saying what cannot be
     */
    public CostTable {
        if (quantity == null || !List.of(Quantity.LATENCY.toString(), Quantity.ENERGY.toString()).contains(quantity)) {
            throw new IllegalArgumentException("'quantity' is latency or energy, not " + quantity);
        }
        check("reference", reference);
        check("rest", rest);
        check("perMultiplyAdd", perMultiplyAdd);
        check("perBit", perBit);
        Map<String, List<List<Double>>> copy = new LinkedHashMap<>();
        if (layers != null) {
            layers.forEach((name, curve) -> copy.put(name, curve(name, curve)));
        }
        layers = copy;
        Map<String, Double> each = new LinkedHashMap<>();
        if (rows != null) {
            rows.forEach((name, price) -> {
                if (price == null) {
                    throw new IllegalArgumentException("'rows' has no figure for " + name);
                }
                check("rows: " + name, price);
                each.put(name, price);
            });
        }
        rows = each;
    }

    private static void check(String name, double value) {
        if (!(value >= 0 && Double.isFinite(value))) {
            throw new IllegalArgumentException("'" + name + "' cannot be " + value + ": it is at least 0");
        }
    }

    private static List<List<Double>> curve(String name, List<List<Double>> points) {
        if (points == null || points.isEmpty() || points.stream().anyMatch(each -> each == null || each.size() != 2
                || each.stream().anyMatch(Objects::isNull) || !(each.get(0) >= 0) || !(each.get(1) >= 0)
                || !Double.isFinite(each.get(0)) || !Double.isFinite(each.get(1)))) {
            throw new IllegalArgumentException("'" + name + "' takes pairs of weights kept and what that costs, such as"
                    + " [[0, 0.5], [500, 6.2]]");
        }
        for (int i = 1; i < points.size(); i++) {
            if (points.get(i).get(0) <= points.get(i - 1).get(0) || points.get(i).get(1) < points.get(i - 1).get(1)) {
                throw new IllegalArgumentException("'" + name + "' has pairs that do not ascend: " + points.get(i - 1)
                        + " before " + points.get(i));
            }
        }
        return points.stream().map(List::copyOf).toList();
    }

    /** {@return of what the table is} */
    Quantity of() {
        return Quantity.of(quantity);
    }

    /**
     * {@return what a weight costs of which so many elements are not zero: between two points on the line through them,
     * outside of all as the nearest; without {@code rows}}
     *
     * @param weight name of the weight
     * @param kept its elements that are not zero
     */
    public double at(String weight, double kept) {
        List<List<Double>> curve = layers.get(weight);
        return curve == null ? 0 : at(curve, kept);
    }

    static double at(List<List<Double>> curve, double kept) {
        List<Double> below = curve.getFirst();
        for (List<Double> point : curve) {
            if (point.get(0) >= kept) {
                double width = point.get(0) - below.get(0);
                double part = width == 0 || kept <= below.get(0) ? 0 : (kept - below.get(0)) / width;
                return kept <= curve.getFirst().get(0)
                        ? curve.getFirst().get(1)
                        : below.get(1) + part * (point.get(1) - below.get(1));
            }
            below = point;
        }
        return below.get(1);
    }

    /**
     * Refuses a network that the table does not fit.
     *
     * @param model network
     * @throws RunException naming what is wrong
     */
    void check(Net model) {
        List<String> weights = model.parameters().stream().filter(Parameter::weight).map(Parameter::name).toList();
        Stream.concat(layers.keySet().stream(), rows.keySet().stream()).filter(name -> !weights.contains(name))
                .findFirst().ifPresent(name -> {
                    throw new RunException("the costs have the layer " + name + ", which " + model.name() + " has not"
                            + (network == null ? "" : ": they are of " + network));
                });
        if (layers.isEmpty() && perMultiplyAdd == 0 && perBit == 0) {
            throw new RunException("costs need one of layers, perMultiplyAdd and perBit: without them no network costs"
                    + " less than another");
        }
    }

    private static ObjectMapper mapper() {
        Jackson.needForJson("tables of costs");
        return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    }

    /**
     * Reads a table.
     *
     * @param file in JSON
     * @return the table
     * @throws RunException if it is none
     * @throws IOException if the file cannot be read
     */
    public static CostTable read(Path file) throws IOException {
        try {
            CostTable table = mapper().readValue(Files.readAllBytes(file), CostTable.class);
            if (table == null) {
                throw new RunException(file + " is no table of costs: it is empty");
            }
            return table;
        } catch (JsonProcessingException e) {
            Throwable cause = e.getCause() instanceof IllegalArgumentException ? e.getCause() : e;
            String said = cause == e ? e.getOriginalMessage() : cause.getMessage();
            throw new RunException(file + " is no table of costs: " + said.lines().findFirst().orElse(""));
        } catch (CharConversionException e) {
            throw new RunException(file + " is no table of costs: it is not UTF-8");
        }
    }

    /**
     * Writes the table in one step.
     *
     * @param file gets JSON
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        AtomicFile.write(file, mapper().writeValueAsString(this) + "\n");
    }
}
