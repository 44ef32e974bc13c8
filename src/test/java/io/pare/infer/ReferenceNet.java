package io.pare.infer;

import io.pare.format.CompressedWeights;
import io.pare.model.ImageShape;
import io.pare.model.Layer;
import io.pare.model.Layer.AvgPool;
import io.pare.model.Layer.BatchNorm;
import io.pare.model.Layer.Conv2d;
import io.pare.model.Layer.Dropout;
import io.pare.model.Layer.Flatten;
import io.pare.model.Layer.GlobalAvgPool;
import io.pare.model.Layer.Linear;
import io.pare.model.Layer.MaxPool;
import io.pare.model.Layer.Relu;
import io.pare.model.Layer.Residual;
import io.pare.model.Layer.ResponseNorm;
import io.pare.model.Layer.Subsample;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A network computed plainly and in double precision: the oracle. */
public final class ReferenceNet {
    private final CompressedWeights weights;
    private final Map<String, float[]> dense = new HashMap<>();

    public ReferenceNet(CompressedWeights weights) {
        this.weights = weights;
        weights.tensors().forEach((name, tensor) -> dense.put(name, tensor.toArray()));
    }

    /** The logits of one image in CHW order. */
    public double[] logits(float[] image) {
        double[] values = new double[image.length];
        for (int i = 0; i < image.length; i++) {
            values[i] = image[i];
        }
        return chain(weights.model().layers(), weights.model().input(), values);
    }

    private double[] chain(List<Layer> layers, ImageShape shape, double[] values) {
        for (Layer layer : layers) {
            values = run(layer, shape, layer.output(shape), values);
            shape = layer.output(shape);
        }
        return values;
    }

    private double[] run(Layer layer, ImageShape in, ImageShape out, double[] x) {
        double[] y = new double[out.features()];
        switch (layer) {
            case Conv2d conv -> convolve(conv, in, out, x, y);
            case Linear linear -> {
                float[] w = dense.get(linear.name() + ".weight");
                float[] b = dense.get(linear.name() + ".bias");
                for (int o = 0; o < linear.out(); o++) {
                    y[o] = b[o];
                    for (int i = 0; i < linear.in(); i++) {
                        y[o] += (double) w[o * linear.in() + i] * x[i];
                    }
                }
            }
            case MaxPool pool -> pool(in, out, x, y, pool.kernel(), pool.stride(), pool.padding(), true);
            case AvgPool pool -> pool(in, out, x, y, pool.kernel(), pool.stride(), pool.padding(), false);
            case Relu _ -> {
                for (int i = 0; i < x.length; i++) {
                    y[i] = Math.max(0, x[i]);
                }
            }
            case GlobalAvgPool _ -> {
                int area = in.height() * in.width();
                for (int i = 0; i < x.length; i++) {
                    y[i / area] += x[i] / area;
                }
            }
            case BatchNorm norm -> {
                int area = in.height() * in.width();
                for (int i = 0; i < x.length; i++) {
                    int c = i / area;
                    y[i] = dense.get(norm.name() + ".weight")[c] * (x[i] - dense.get(norm.name() + ".running_mean")[c])
                            / Math.sqrt(dense.get(norm.name() + ".running_var")[c] + (double) norm.epsilon())
                            + dense.get(norm.name() + ".bias")[c];
                }
            }
            case ResponseNorm norm -> {
                int area = in.height() * in.width();
                for (int i = 0; i < x.length; i++) {
                    double squares = 0;
                    for (int shift = -norm.size() / 2; shift <= norm.size() / 2; shift++) {
                        int near = i + shift * area;
                        squares += near >= 0 && near < x.length ? x[near] * x[near] : 0;
                    }
                    y[i] = x[i] / Math.pow(norm.k() + norm.alpha() / norm.size() * squares, norm.beta());
                }
            }
            case Subsample subsample -> {
                int before = (out.channels() - in.channels()) / 2;
                for (int c = 0; c < in.channels(); c++) {
                    for (int row = 0; row < out.height(); row++) {
                        for (int column = 0; column < out.width(); column++) {
                            y[((before + c) * out.height() + row) * out.width() + column] = x[(c * in.height()
                                    + row * subsample.stride()) * in.width() + column * subsample.stride()];
                        }
                    }
                }
            }
            case Residual residual -> {
                double[] body = chain(residual.body(), in, x);
                double[] shortcut = chain(residual.shortcut(), in, x);
                for (int i = 0; i < y.length; i++) {
                    y[i] = body[i] + shortcut[i];
                }
            }
            case Dropout _,Flatten _ -> System.arraycopy(x, 0, y, 0, x.length);
        }
        return y;
    }

    private void convolve(Conv2d c, ImageShape in, ImageShape out, double[] x, double[] y) {
        float[] w = dense.get(c.name() + ".weight");
        float[] b = c.bias() ? dense.get(c.name() + ".bias") : new float[c.out()];
        int perGroup = c.in() / c.groups();
        for (int o = 0; o < c.out(); o++) {
            for (int oy = 0; oy < out.height(); oy++) {
                for (int ox = 0; ox < out.width(); ox++) {
                    double sum = b[o];
                    for (int i = 0; i < perGroup; i++) {
                        int channel = o / (c.out() / c.groups()) * perGroup + i;
                        for (int ky = 0; ky < c.kernelHeight(); ky++) {
                            for (int kx = 0; kx < c.kernelWidth(); kx++) {
                                int iy = oy * c.stride() + ky * c.dilation() - c.padding();
                                int ix = ox * c.stride() + kx * c.dilation() - c.padding();
                                if (iy >= 0 && iy < in.height() && ix >= 0 && ix < in.width()) {
                                    sum += (double) w[((o * perGroup + i) * c.kernelHeight() + ky) * c.kernelWidth()
                                            + kx] * x[(channel * in.height() + iy) * in.width() + ix];
                                }
                            }
                        }
                    }
                    y[(o * out.height() + oy) * out.width() + ox] = sum;
                }
            }
        }
    }

    private static void pool(ImageShape in, ImageShape out, double[] x, double[] y, int kernel, int stride, int padding,
            boolean max) {
        for (int c = 0; c < out.channels(); c++) {
            for (int oy = 0; oy < out.height(); oy++) {
                for (int ox = 0; ox < out.width(); ox++) {
                    double result = max ? Double.NEGATIVE_INFINITY : 0;
                    for (int ky = 0; ky < kernel; ky++) {
                        for (int kx = 0; kx < kernel; kx++) {
                            int iy = oy * stride + ky - padding;
                            int ix = ox * stride + kx - padding;
                            if (iy >= 0 && iy < in.height() && ix >= 0 && ix < in.width()) {
                                double value = x[(c * in.height() + iy) * in.width() + ix];
                                result = max ? Math.max(result, value) : result + value / (kernel * kernel);
                            }
                        }
                    }
                    y[(c * out.height() + oy) * out.width() + ox] = result;
                }
            }
        }
    }
}
