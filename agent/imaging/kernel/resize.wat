;; What agent/imaging/resize-yuv.ts does for every sample, 128 bits at a time. The caller says where everything lies.
(module
  (memory (export "memory") 17)

  ;; One line of one plane at its new width: out[x] = the four samples around x, weighted, in 1/64:
  ;; across in 1/2048 first, then (a × 2048 + (b - a) × down) / 65536.
  ;; upper, lower: addresses of the two rows of samples; down: weight of the lower, in 1/2048.
  ;; first: for each x the offset of its left sample, i32; across: for each x the weights of its left and
  ;; right sample, in 1/2048, two i16; out: i32; count: a multiple of 8.
  (func (export "line")
    (param $upper i32) (param $lower i32) (param $down i32)
    (param $first i32) (param $across i32) (param $out i32) (param $count i32)
    (local $end i32) (local $above v128) (local $below v128) (local $weights v128)
    (local $a v128) (local $b v128) (local $share v128) (local $left i32)
    (local.set $share (i32x4.splat (local.get $down)))
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $count) (i32.const 2))))
    (loop $eight
      ;; Two neighbouring samples are one load of 16 bits.
      (local.set $left (i32.load (local.get $first)))
      (local.set $above (v128.load16_lane 0 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 0 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))
      (local.set $left (i32.load offset=4 (local.get $first)))
      (local.set $above (v128.load16_lane 1 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 1 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))
      (local.set $left (i32.load offset=8 (local.get $first)))
      (local.set $above (v128.load16_lane 2 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 2 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))
      (local.set $left (i32.load offset=12 (local.get $first)))
      (local.set $above (v128.load16_lane 3 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 3 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))
      (local.set $left (i32.load offset=16 (local.get $first)))
      (local.set $above (v128.load16_lane 4 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 4 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))
      (local.set $left (i32.load offset=20 (local.get $first)))
      (local.set $above (v128.load16_lane 5 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 5 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))
      (local.set $left (i32.load offset=24 (local.get $first)))
      (local.set $above (v128.load16_lane 6 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 6 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))
      (local.set $left (i32.load offset=28 (local.get $first)))
      (local.set $above (v128.load16_lane 7 (i32.add (local.get $upper) (local.get $left)) (local.get $above)))
      (local.set $below (v128.load16_lane 7 (i32.add (local.get $lower) (local.get $left)) (local.get $below)))

      (local.set $weights (v128.load (local.get $across)))
      (local.set $a (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $above)) (local.get $weights)))
      (local.set $b (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $below)) (local.get $weights)))
      (v128.store
        (local.get $out)
        (i32x4.shr_s
          (i32x4.add
            (i32x4.shl (local.get $a) (i32.const 11))
            (i32x4.mul (i32x4.sub (local.get $b) (local.get $a)) (local.get $share)))
          (i32.const 16)))

      (local.set $weights (v128.load offset=16 (local.get $across)))
      (local.set $a (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $above)) (local.get $weights)))
      (local.set $b (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $below)) (local.get $weights)))
      (v128.store offset=16
        (local.get $out)
        (i32x4.shr_s
          (i32x4.add
            (i32x4.shl (local.get $a) (i32.const 11))
            (i32x4.mul (i32x4.sub (local.get $b) (local.get $a)) (local.get $share)))
          (i32.const 16)))

      (local.set $first (i32.add (local.get $first) (i32.const 32)))
      (local.set $across (i32.add (local.get $across) (i32.const 32)))
      (local.set $out (i32.add (local.get $out) (i32.const 32)))
      (br_if $eight (i32.lt_u (local.get $out) (local.get $end)))))

  ;; A line of luma and chroma, in 1/64, as RGB: three bytes a pixel. Factors are in 1/8192.
  ;; Of the 16 bytes that are written at a time 12 count: up to 4 behind the line are overwritten.
  (func (export "decode")
    (param $y i32) (param $u i32) (param $v i32) (param $out i32) (param $count i32)
    (param $black i32) (param $luma i32) (param $redV i32) (param $greenU i32) (param $greenV i32) (param $blueU i32)
    (local $end i32) (local $light v128) (local $cu v128) (local $cv v128) (local $red v128) (local $green v128) (local $blue v128)
    (local.set $end (i32.add (local.get $y) (i32.shl (local.get $count) (i32.const 2))))
    (loop $four
      (local.set $light
        (i32x4.add
          (i32x4.mul
            (i32x4.sub (v128.load (local.get $y)) (i32x4.splat (local.get $black)))
            (i32x4.splat (local.get $luma)))
          (v128.const i32x4 262144 262144 262144 262144)))
      (local.set $cu (i32x4.sub (v128.load (local.get $u)) (v128.const i32x4 8192 8192 8192 8192)))
      (local.set $cv (i32x4.sub (v128.load (local.get $v)) (v128.const i32x4 8192 8192 8192 8192)))
      (local.set $red (i32x4.add (local.get $light) (i32x4.mul (local.get $cv) (i32x4.splat (local.get $redV)))))
      (local.set $green
        (i32x4.add
          (local.get $light)
          (i32x4.add
            (i32x4.mul (local.get $cu) (i32x4.splat (local.get $greenU)))
            (i32x4.mul (local.get $cv) (i32x4.splat (local.get $greenV))))))
      (local.set $blue (i32x4.add (local.get $light) (i32x4.mul (local.get $cu) (i32x4.splat (local.get $blueU)))))
      (local.set $red (i32x4.shr_s (local.get $red) (i32.const 19)))
      (local.set $green (i32x4.shr_s (local.get $green) (i32.const 19)))
      (local.set $blue (i32x4.shr_s (local.get $blue) (i32.const 19)))
      ;; Narrowing clamps to 0–255.
      (local.set $red (i16x8.narrow_i32x4_s (local.get $red) (local.get $green)))
      (local.set $blue (i16x8.narrow_i32x4_s (local.get $blue) (local.get $blue)))
      (local.set $red (i8x16.narrow_i16x8_u (local.get $red) (local.get $blue)))
      (v128.store
        (local.get $out)
        (i8x16.shuffle 0 4 8 1 5 9 2 6 10 3 7 11 0 0 0 0 (local.get $red) (local.get $red)))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $u (i32.add (local.get $u) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (local.set $out (i32.add (local.get $out) (i32.const 12)))
      (br_if $four (i32.lt_u (local.get $y) (local.get $end))))))
